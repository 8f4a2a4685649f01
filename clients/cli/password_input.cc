#include "cli/password_input.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction is POSIX's
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace credcache::cli {
namespace {

volatile sig_atomic_t caught_signal = 0;

void RememberSignal(int signal) { caught_signal = signal; }

// While it lives the terminal does not echo, and signals that would end or stop the program only end a wait for input.
class SilentTerminal {
 public:
  explicit SilentTerminal(int terminal) : terminal_(terminal) {
    caught_signal = 0;
    struct sigaction action {};
    action.sa_handler = RememberSignal;
    sigemptyset(&action.sa_mask);
    sigset_t held;
    sigemptyset(&held);
    for (const int signal : kSignals) sigaddset(&held, signal);
    // Held back but while we wait: one that came between a look at caught_signal and a read would else be missed.
    pthread_sigmask(SIG_BLOCK, &held, &mask_before_);
    for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &actions_before_[i]);
    changed_ = tcgetattr(terminal_, &settings_) == 0;
    if (!changed_) return;
    termios silent = settings_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(terminal_, TCSAFLUSH, &silent);
  }

  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

  // Only now the signals that came meanwhile do what they do to any program.
  ~SilentTerminal() {
    if (changed_) tcsetattr(terminal_, TCSAFLUSH, &settings_);
    for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &actions_before_[i], nullptr);
    pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }

  // Until a read would not block, or a signal came.
  void AwaitInput() const {
    pollfd ready = {terminal_, POLLIN, 0};
    while (caught_signal == 0 && ppoll(&ready, 1, nullptr, &mask_before_) < 0 && errno == EINTR) continue;
  }

 private:
  static constexpr std::array<int, 5> kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

  int terminal_;
  termios settings_{};
  bool changed_ = false;
  sigset_t mask_before_{};
  std::array<struct sigaction, kSignals.size()> actions_before_{};
};

// Reads to the end of file, or of a line at a terminal.
absl::Status Fill(int descriptor, const SilentTerminal* terminal, Password& password, const std::string& name) {
  while (true) {
    if (terminal != nullptr) terminal->AwaitInput();
    if (caught_signal != 0) return absl::InvalidArgumentError("interrupted");
    const absl::Span<char> room = password.Room();
    if (room.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the password in ", name, " is longer than ", Password::kCapacity - 1, " bytes"));
    }
    const ssize_t count = read(descriptor, room.data(), room.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return absl::InvalidArgumentError(absl::StrCat("cannot read the password from ", name, ": ", strerror(errno)));
    }
    password.Grow(static_cast<size_t>(count));
    if (count == 0 || (terminal != nullptr && absl::StrContains(password.view(), '\n'))) return absl::OkStatus();
  }
}

absl::StatusOr<Password> AskOnce(absl::string_view prompt, Console& console) {
  while (true) {
    Password password;
    absl::Status status;
    int signal = 0;
    {
      const SilentTerminal silent(console.in);
      console.err << prompt << std::flush;
      status = Fill(console.in, &silent, password, "the terminal");
      signal = caught_signal;
      caught_signal = 0;
      console.err << "\n" << std::flush;
    }
    if (signal != 0) {
      // With the terminal as it was, take the signal the ordinary way. Whoever stopped us and came back is asked again.
      raise(signal);
      if (signal == SIGTSTP) continue;
    }
    if (!status.ok()) return status;
    if (!password.ChompLineEnd() && password.empty()) return absl::InvalidArgumentError("no password was given");
    return password;
  }
}

absl::StatusOr<Password> ReadAll(int descriptor, const std::string& name) {
  Password password;
  if (absl::Status status = Fill(descriptor, nullptr, password, name); !status.ok()) return status;
  password.ChompLineEnd();
  return password;
}

bool IsPersonAsked(const std::string& path, const Console& console) {
  return (path.empty() || path == "-") && isatty(console.in) == 1;
}

}  // namespace

absl::StatusOr<Password> ReadPassword(const std::string& path, absl::string_view prompt, Console& console) {
  if (IsPersonAsked(path, console)) return AskOnce(prompt, console);
  if (path.empty() || path == "-") return ReadAll(console.in, "the standard input");
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    return absl::InvalidArgumentError(absl::StrCat("cannot open the password file ", path, ": ", strerror(errno)));
  }
  absl::StatusOr<Password> password = ReadAll(file, path);
  close(file);
  return password;
}

absl::StatusOr<Password> ReadNewPassword(const std::string& path, absl::string_view prompt, Console& console) {
  absl::StatusOr<Password> first = ReadPassword(path, prompt, console);
  if (!first.ok() || !IsPersonAsked(path, console)) return first;
  const absl::StatusOr<Password> second = AskOnce("The same again: ", console);
  if (!second.ok()) return second.status();
  if (first->view().size() != second->view().size() ||
      CRYPTO_memcmp(first->c_str(), second->c_str(), first->view().size()) != 0) {
    return absl::InvalidArgumentError("the two passwords differ; nothing was done");
  }
  return first;
}

}  // namespace credcache::cli
