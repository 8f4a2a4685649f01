// What needs the program itself: terminals and signals.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill is POSIX's
#include <spawn.h>
#include <sys/wait.h>
#include <termios.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/fake_server.h"

namespace credcache::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Duration kPatience = absl::Seconds(60);

// credcachectl with a terminal, or with a pipe on its standard output.
class Program {
 public:
  enum class Output { kTerminal, kPipe };

  Program(const std::vector<std::string>& arguments, Output output) {
    winsize size{50, 100, 0, 0};
    EXPECT_EQ(openpty(&terminal_, &inside_, nullptr, nullptr, &size), 0);
    fcntl(terminal_, F_SETFD, FD_CLOEXEC);
    int pipe_ends[2] = {-1, -1};
    if (output == Output::kPipe) {
      EXPECT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, inside_, 0);
    posix_spawn_file_actions_adddup2(&actions, output == Output::kPipe ? pipe_ends[1] : inside_, 1);
    posix_spawn_file_actions_adddup2(&actions, inside_, 2);
    std::vector<std::string> texts = {CREDCACHECTL};
    texts.insert(texts.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    argv.reserve(texts.size() + 1);
    for (std::string& text : texts) argv.push_back(text.data());
    argv.push_back(nullptr);
    const int error = posix_spawn(&pid_, CREDCACHECTL, &actions, nullptr, argv.data(), environ);
    EXPECT_EQ(error, 0);
    if (error != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    if (output == Output::kPipe) close(pipe_ends[1]);
    from_ = output == Output::kPipe ? pipe_ends[0] : terminal_;
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    if (from_ != terminal_) close(from_);
    close(terminal_);
    close(inside_);
  }

  // Everything that came, once `text` is in it `times` times, or when patience ends.
  const std::string& Until(absl::string_view text, int times = 1) {
    const absl::Time deadline = absl::Now() + kPatience;
    while (Count(text) < times && absl::Now() < deadline) Take(absl::Seconds(1));
    EXPECT_GE(Count(text), times) << "waiting for " << text << " in: " << seen_;
    return seen_;
  }

  void Type(absl::string_view text) {
    EXPECT_EQ(write(terminal_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  bool Echoes() const {
    termios settings{};
    EXPECT_EQ(tcgetattr(inside_, &settings), 0);
    return (settings.c_lflag & ECHO) != 0;
  }

  void Signal(int signal) const {
    // kill takes -1 for everybody.
    ASSERT_GT(pid_, 0);
    kill(pid_, signal);
  }

  // Waits for its end; the status as of waitpid.
  int Wait() {
    int status = -1;
    const absl::Time deadline = absl::Now() + kPatience;
    while (pid_ > 0 && absl::Now() < deadline) {
      if (waitpid(pid_, &status, WNOHANG) == pid_) pid_ = -1;
      Take(absl::Milliseconds(10));
    }
    EXPECT_EQ(pid_, -1) << "it does not end";
    Take(absl::ZeroDuration());
    return status;
  }

  const std::string& seen() const { return seen_; }

 private:
  int Count(absl::string_view text) const {
    int count = 0;
    for (size_t at = seen_.find(text.data(), 0, text.size()); at != std::string::npos;
         at = seen_.find(text.data(), at + 1, text.size())) {
      ++count;
    }
    return count;
  }

  void Take(absl::Duration wait) {
    pollfd ready = {from_, POLLIN, 0};
    if (poll(&ready, 1, static_cast<int>(absl::ToInt64Milliseconds(wait))) <= 0) return;
    char buffer[4096];
    const ssize_t count = read(from_, buffer, sizeof buffer);
    if (count > 0) seen_.append(buffer, static_cast<size_t>(count));
  }

  int terminal_ = -1;
  int inside_ = -1;
  int from_ = -1;
  pid_t pid_ = -1;
  std::string seen_;
};

TEST(ProgramTest, AsksAtATerminalWithoutEcho) {
  FakeServer server;
  v1::AuthenticateResponse response;
  response.set_outcome(v1::OUTCOME_ACCEPTED);
  server.service().Answer(response);
  Program program({"--address", server.address(), "authenticate", "alice"}, Program::Output::kTerminal);
  program.Until("Password of alice: ");
  EXPECT_FALSE(program.Echoes());
  program.Type("s3cret\n");
  program.Until("ACCEPTED");
  EXPECT_EQ(program.Wait(), 0);
  EXPECT_TRUE(program.Echoes());
  EXPECT_THAT(program.seen(), Not(HasSubstr("s3cret")));
  EXPECT_EQ(server.service().authenticate_request().password().password(), "s3cret");
}

TEST(ProgramTest, ANewPasswordIsAskedTwice) {
  Program program({"hash", "--kind", "argon2id", "--user", "alice"}, Program::Output::kTerminal);
  program.Until("New password: ");
  program.Type("s3cret\n");
  program.Until("The same again: ");
  program.Type("s3cret\n");
  program.Until("alice:$argon2id$");
  EXPECT_EQ(program.Wait(), 0);
}

TEST(ProgramTest, TwoThatDifferAreNotHashed) {
  Program program({"hash"}, Program::Output::kTerminal);
  program.Until("New password: ");
  program.Type("s3cret\n");
  program.Until("The same again: ");
  program.Type("s3crat\n");
  program.Until("differ");
  EXPECT_EQ(WEXITSTATUS(program.Wait()), 2);
}

TEST(ProgramTest, AnInterruptAtTheQuestionLeavesTheTerminalAsItWas) {
  Program program({"hash"}, Program::Output::kTerminal);
  program.Until("New password: ");
  EXPECT_FALSE(program.Echoes());
  program.Signal(SIGINT);
  const int status = program.Wait();
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
  EXPECT_TRUE(program.Echoes());
}

TEST(ProgramTest, TheLiveViewIsDrawnInPlaceAndEndsCleanly) {
  FakeServer server;
  Program program({"--address", server.address(), "stats", "--watch", "--interval", "100ms"},
                  Program::Output::kTerminal);
  program.Until("PER SECOND", 2);
  EXPECT_THAT(program.seen(), HasSubstr("\x1b[H"));
  EXPECT_THAT(program.seen(), HasSubstr("/s"));
  program.Signal(SIGINT);
  EXPECT_EQ(program.Wait(), 0);
}

TEST(ProgramTest, TheLiveViewOutlivesARestart) {
  FakeServer server;
  Program program({"--address", server.address(), "stats", "--watch", "--interval", "100ms"},
                  Program::Output::kTerminal);
  program.Until("hits");
  server.Stop();
  program.Until("No answer for");
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait(), 0);
}

TEST(ProgramTest, WatchedJsonIsALineAnInterval) {
  FakeServer server;
  Program program({"--address", server.address(), "--json", "stats", "--watch", "--interval", "100ms"},
                  Program::Output::kPipe);
  program.Until("}\n", 3);
  program.Signal(SIGINT);
  EXPECT_EQ(program.Wait(), 0);
  EXPECT_THAT(program.seen(), HasSubstr("\"hits\":\"10\""));
  EXPECT_THAT(program.seen(), HasSubstr("\"hits\":\"30\""));
  EXPECT_THAT(program.seen(), Not(HasSubstr("\x1b")));
}

TEST(ProgramTest, WatchingAServerThatIsNotThereEndsAtOnce) {
  Program program({"--address", "127.0.0.1:1", "stats", "--watch"}, Program::Output::kTerminal);
  program.Until("nothing listens at 127.0.0.1:1");
  EXPECT_EQ(WEXITSTATUS(program.Wait()), 4);
}

}  // namespace
}  // namespace credcache::cli
