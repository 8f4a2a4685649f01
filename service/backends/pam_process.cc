#include "backends/pam_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "backends/pam_helper.h"

namespace credcache {
namespace {

// So long a helper that has closed its socket may take to end by itself, and one that was killed to be gone.
constexpr absl::Duration kTimeToEnd = absl::Milliseconds(200);

// Some modules free passwords without wiping them (pam_userdb). glibc overwrites what is freed (mallopt(3), M_PERTURB),
// but for what it keeps in its caches of each thread.
constexpr absl::string_view kTunables = "GLIBC_TUNABLES=";
constexpr absl::string_view kWipeWhatIsFreed = "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0";

std::vector<std::string> Environment() {
  std::vector<std::string> environment;
  std::string tunables(kTunables);
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (absl::StartsWith(*variable, kTunables)) {
      tunables = absl::StrCat(*variable, ":");
    } else {
      environment.emplace_back(*variable);
    }
  }
  environment.push_back(absl::StrCat(tunables, kWipeWhatIsFreed));
  return environment;
}

// As C wants it; the texts must outlive it.
std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// With `socket` as the helper's, in a process group of its own. 0, or an errno.
int Spawn(const std::vector<std::string>& command, int socket, pid_t* process) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  const absl::Cleanup destroy = [&] {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  };
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, socket, kPamHelperSocket);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> arguments = command;
  arguments.front() = program_invocation_short_name;  // for who lists processes
  std::vector<std::string> environment = Environment();
  return posix_spawn(process, command.front().c_str(), &actions, &attributes, Pointers(arguments).data(),
                     Pointers(environment).data());
}

int Milliseconds(absl::Duration left) {
  return static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(left) + 1, 1, 60'000));
}

std::string HowItEnded(int status) {
  if (WIFSIGNALED(status)) {
    return absl::StrCat("was killed by signal ", WTERMSIG(status), " (", strsignal(WTERMSIG(status)), ")");
  }
  return absl::StrCat("exited with status ", WEXITSTATUS(status));
}

// How a child ended; nothing: it has not, after so long.
std::optional<std::string> WaitForEnd(pid_t process, absl::Duration limit) {
  // glibc 2.36 declares pidfd_open for C alone.
  if (const auto descriptor = static_cast<int>(syscall(SYS_pidfd_open, process, 0)); descriptor >= 0) {
    pollfd event = {.fd = descriptor, .events = POLLIN, .revents = 0};
    poll(&event, 1, Milliseconds(limit));
    close(descriptor);
  }
  // Only seen first: while it is not taken leave of, its group cannot be another's.
  siginfo_t seen = {};
  if (waitid(P_PID, static_cast<id_t>(process), &seen, WEXITED | WNOHANG | WNOWAIT) == 0 && seen.si_pid == 0) {
    return std::nullopt;
  }
  kill(-process, SIGKILL);
  int status = 0;
  return waitpid(process, &status, 0) == process ? HowItEnded(status) : "ended";
}

}  // namespace

void PamOrphans::Add(pid_t process) {
  const absl::MutexLock lock(&mutex_);
  processes_.push_back(process);
}

void PamOrphans::Collect() {
  const absl::MutexLock lock(&mutex_);
  const auto ended = [](pid_t process) { return waitpid(process, nullptr, WNOHANG) != 0; };
  processes_.erase(std::remove_if(processes_.begin(), processes_.end(), ended), processes_.end());
}

absl::StatusOr<std::unique_ptr<PamProcess>> PamProcess::Start(const std::vector<std::string>& command,
                                                              PamOrphans& orphans, Clock& clock,
                                                              MonotonicTime deadline) {
  orphans.Collect();
  const auto failed = [](int error) {
    return absl::UnavailableError(absl::StrCat("no helper process can be started: ", std::strerror(error)));
  };
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return failed(errno);
  absl::Cleanup close_ours = [&ends] { close(ends[0]); };
  absl::Cleanup close_theirs = [&ends] { close(ends[1]); };
  // Where nothing that the helper begins with comes in its place.
  const int theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, kPamHelperSocket + 1);
  if (theirs < 0) return failed(errno);
  absl::Cleanup close_copy = [theirs] { close(theirs); };
  pid_t process = 0;
  if (const int error = Spawn(command, theirs, &process); error != 0) return failed(error);
  std::move(close_ours).Cancel();
  // The helper's end is the only one now, so that its end is the socket's.
  std::unique_ptr<PamProcess> started(new PamProcess(process, ends[0], orphans, clock));
  std::move(close_copy).Invoke();
  std::move(close_theirs).Invoke();
  const auto ready = started->Receive(/*number=*/0, deadline);
  if (!ready.ok()) return ready.status();
  if (ready->phase != PamPhase::kReady) return started->NoAnswer();
  return started;
}

PamProcess::~PamProcess() {
  End();
  close(socket_);
}

bool PamProcess::IsIdle() const {
  if (process_ == 0) return false;
  pollfd event = {.fd = socket_, .events = POLLIN, .revents = 0};
  return poll(&event, 1, 0) == 0;
}

absl::StatusOr<PamAnswer> PamProcess::Ask(absl::string_view name, SecretView password, MonotonicTime deadline) {
  const Secret question = EncodePamQuestion(++asked_, name, password);
  const absl::string_view bytes = question.view().Expose();
  // The socket is empty, and has room for much more.
  const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) return absl::AbortedError(absl::StrCat("the helper ", End()));
  if (static_cast<size_t>(sent) != bytes.size()) return NoAnswer();
  return Receive(asked_, deadline);
}

absl::StatusOr<PamAnswer> PamProcess::Receive(uint32_t number, MonotonicTime deadline) {
  std::array<char, kPamFrameHeader> header;
  if (absl::Status status = Read(header.data(), header.size(), deadline); !status.ok()) return status;
  const auto size = PamBodySize(absl::string_view(header.data(), header.size()), kMaxPamAnswer);
  if (!size.ok()) return NoAnswer();
  std::string body(*size, '\0');
  if (absl::Status status = Read(body.data(), body.size(), deadline); !status.ok()) return status;
  auto answer = DecodePamAnswer(body);
  if (!answer.ok() || answer->number != number) return NoAnswer();
  return answer;
}

absl::Status PamProcess::Read(char* bytes, size_t size, MonotonicTime deadline) {
  while (size > 0) {
    const ssize_t got = recv(socket_, bytes, size, MSG_DONTWAIT);
    if (got > 0) {
      bytes += got;
      size -= static_cast<size_t>(got);
      continue;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) return Ended();
    const absl::Duration left = deadline - clock_.Monotonic();
    if (left <= absl::ZeroDuration()) {
      kill(-process_, SIGKILL);
      End();
      return absl::DeadlineExceededError("the helper did not answer in time, and was killed");
    }
    pollfd event = {.fd = socket_, .events = POLLIN, .revents = 0};
    poll(&event, 1, Milliseconds(left));
  }
  return absl::OkStatus();
}

absl::Status PamProcess::Ended() { return absl::UnavailableError(absl::StrCat("the helper ", End())); }

// What came in its place may hold anything, and is not told.
absl::Status PamProcess::NoAnswer() {
  kill(-process_, SIGKILL);
  End();
  return absl::UnavailableError("what came from the helper is no answer; it was killed");
}

// One that is idle ends by itself when its socket is closed; so does one that has crashed.
std::string PamProcess::End() {
  if (process_ == 0) return "has ended";
  const pid_t process = std::exchange(process_, 0);
  shutdown(socket_, SHUT_RDWR);
  if (const auto how = WaitForEnd(process, kTimeToEnd)) return *how;
  kill(-process, SIGKILL);
  if (WaitForEnd(process, kTimeToEnd).has_value()) return "had closed its socket, and was killed";
  orphans_.Add(process);
  return "was killed, and does not end";
}

}  // namespace credcache
