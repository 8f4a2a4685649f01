#include "backends/pam_fake_helper.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "backends/pam_helper.h"
#include "backends/pam_messages.h"

namespace credcache {
namespace {

constexpr const char* kFlag = "--fake-pam-helper";

void Say(const std::string& bytes) { send(kPamHelperSocket, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

// Until somebody kills it.
[[noreturn]] void Hang() {
  while (true) pause();
}

PamQuestion NextQuestion() {
  std::string header(kPamFrameHeader, '\0');
  if (recv(kPamHelperSocket, header.data(), header.size(), MSG_WAITALL) != static_cast<ssize_t>(header.size()))
    _exit(0);
  std::string body(*PamBodySize(header, kMaxPamQuestion), '\0');
  recv(kPamHelperSocket, body.data(), body.size(), MSG_WAITALL);
  return *DecodePamQuestion(SecretView(body));
}

void Answer(const PamQuestion& question) {
  const std::string accepted = EncodePamAnswer({.number = question.number,
                                                .phase = PamPhase::kAccount,
                                                .user = question.name,
                                                .groups = {absl::StrCat(getpid())}});
  if (question.name == "crash") abort();
  if (question.name == "exit") _exit(0);
  if (question.name == "hang") Hang();
  if (question.name == "garbage") return Say("Password accepted, welcome!\n");
  if (question.name == "another-number") {
    return Say(EncodePamAnswer({.number = question.number + 1, .phase = PamPhase::kAccount, .user = question.name}));
  }
  if (question.name == "half") {
    Say(accepted.substr(0, accepted.size() / 2));
    _exit(3);
  }
  Say(accepted);
}

}  // namespace

std::vector<std::string> FakeHelper(const std::string& kind) { return {"/proc/self/exe", kFlag, kind}; }

void RunFakeHelperIfAsked(int argc, char** argv) {
  if (argc < 3 || std::string(argv[1]) != kFlag) return;
  const std::string kind = argv[2];
  if (kind == kCrashingHelper) abort();
  if (kind == kSilentHelper) Hang();
  Say(EncodePamAnswer({.number = 0, .phase = PamPhase::kReady}));
  while (true) {
    Answer(NextQuestion());
    if (kind == kTalkingHelper) Say("one more thing");
  }
}

}  // namespace credcache
