#include "backends/pam_helper.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/string_view.h"
#include "backends/pam_messages.h"
#include "base/secret.h"
#include "base/secret_memory.h"

namespace credcache {
namespace {

constexpr absl::string_view kFlag = "--pam-helper";
constexpr absl::string_view kSystemUsers = "system-users";
constexpr absl::string_view kNoSystemUsers = "no-system-users";

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

// Out of the way of modules that use a descriptor which they have closed.
constexpr int kHiddenDescriptor = 100;
// Modules may use select, and close everything there could be before they start a program.
constexpr rlim_t kMostDescriptors = 1024;

void Ignore(int /*signal*/) {}

// Against what may have been undone since: a change of the user id resets both.
void ProtectProcess() {
  ForbidDumps();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void LimitProcess() {
  prctl(PR_SET_NAME, "credcached-pam");
  const rlimit no_core = {.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &no_core);
  rlimit descriptors;
  if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0 && descriptors.rlim_cur > kMostDescriptors) {
    descriptors.rlim_cur = kMostDescriptors;
    setrlimit(RLIMIT_NOFILE, &descriptors);
  }
  // Handled rather than ignored, so that programs which modules start have them as usual.
  struct sigaction action = {};
  action.sa_handler = Ignore;
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaction(signal, &action, nullptr);
}

// The socket, which programs that modules start do not inherit; -1: there is none.
int TakeSocket() {
  const int hidden = fcntl(kPamHelperSocket, F_DUPFD_CLOEXEC, kHiddenDescriptor);
  if (hidden < 0) return -1;
  close_range(kPamHelperSocket, kHiddenDescriptor - 1, 0);
  close_range(static_cast<unsigned>(hidden) + 1, ~0U, 0);
  return hidden;
}

bool Receive(int socket, char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t got = recv(socket, bytes, size, MSG_WAITALL);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    bytes += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

bool Send(int socket, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

// Nothing: the service is gone, or does not talk as it should.
std::optional<PamQuestion> NextQuestion(int socket) {
  std::array<char, kPamFrameHeader> header;
  if (!Receive(socket, header.data(), header.size())) return std::nullopt;
  const auto size = PamBodySize(absl::string_view(header.data(), header.size()), kMaxPamQuestion);
  if (!size.ok()) return std::nullopt;
  std::array<char, kMaxPamQuestion> body;
  const absl::Cleanup wipe = [&body] { WipeMemory(body.data(), body.size()); };
  if (!Receive(socket, body.data(), *size)) return std::nullopt;
  auto question = DecodePamQuestion(SecretView(absl::string_view(body.data(), *size)));
  if (!question.ok()) return std::nullopt;
  return *std::move(question);
}

// Some modules leave copies of the password on the stack (pam_exec). Overwrites it below the caller.
[[gnu::noinline]] void ScrubStack() {
  char stack[size_t{128} << 10];
  WipeMemory(stack, sizeof stack);
}

[[gnu::noinline]] bool AnswerOne(int socket, const PamStack& stack, pid_t self) {
  const std::optional<PamQuestion> question = NextQuestion(socket);
  if (!question.has_value()) return false;
  ProtectProcess();
  PamAnswer answer = RunPamStack(stack, *question);
  // A module's child that returned from it.
  if (getpid() != self) _exit(kExitFailed);
  answer.number = question->number;
  return Send(socket, EncodePamAnswer(answer));
}

int Serve(const PamStack& stack) {
  const int socket = TakeSocket();
  if (socket < 0) return kExitUsage;
  ProtectProcess();
  LimitProcess();
  const pid_t self = getpid();
  if (!Send(socket, EncodePamAnswer({.number = 0, .phase = PamPhase::kReady}))) return kExitFailed;
  while (AnswerOne(socket, stack, self)) ScrubStack();
  return 0;
}

}  // namespace

std::vector<std::string> PamHelperArguments(const PamStack& stack) {
  return {std::string(kFlag), stack.service, stack.config_folder,
          std::string(stack.system_users ? kSystemUsers : kNoSystemUsers)};
}

std::optional<int> RunPamHelper(int argc, char** argv) {
  if (argc < 2 || argv[1] != kFlag) return std::nullopt;
  if (argc != 5) return kExitUsage;
  return Serve({.service = argv[2], .config_folder = argv[3], .system_users = argv[4] == kSystemUsers});
}

}  // namespace credcache
