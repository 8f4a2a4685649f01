// credcached: the command line and the signals. What it runs is in app.cc.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "app.h"
#include "base/secret_memory.h"
#include "config/load.h"

namespace credcache {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

// A function of a shared library that is bound at its first call saves the vector registers on the stack then, and with
// them whatever was copied last, which may be a message with a password. The linker's -z now binds this program's own
// calls; those between the libraries are bound at start only where the environment says so. Hence once more, with that.
void BindLibrariesAtStart(char** argv) {
  constexpr char kBindNow[] = "LD_BIND_NOW";  // ld.so(8)
  const char* set = std::getenv(kBindNow);
  if (set != nullptr && *set != '\0') return;
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error || setenv(kBindNow, "1", 1) != 0) return;
  execv(program.c_str(), argv);
  // Where that is not allowed, the service runs all the same.
}

int Run(const std::string& config_path, bool check_only) {
  absl::StatusOr<std::shared_ptr<const Config>> config = LoadConfig(config_path);
  if (!config.ok()) {
    std::fprintf(stderr, "%s\n", std::string(config.status().message()).c_str());
    return kExitUsage;
  }
  if (check_only) {
    std::printf("%s: ok\n", config_path.c_str());
    return 0;
  }

  // Blocked before the first thread starts, so that every thread inherits it and only sigwait sees them.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  ForbidDumps();

  absl::StatusOr<std::unique_ptr<App>> app = App::Start(config_path, *std::move(config));
  if (!app.ok()) {
    std::fprintf(stderr, "credcached: %s\n", std::string(app.status().message()).c_str());
    return kExitFailed;
  }
  std::fprintf(stderr, "%s\n", (*app)->ReadyLine().c_str());

  while (true) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal != SIGHUP) {
      (*app)->Stop(signal == SIGTERM ? "SIGTERM" : "SIGINT");
      return 0;
    }
    (*app)->Reload();
  }
}

}  // namespace
}  // namespace credcache

int main(int argc, char** argv) {
  if (const std::optional<int> exit_code = credcache::App::RunHelper(argc, argv)) return *exit_code;
#ifdef NDEBUG
  // Debian builds Abseil with its search for deadlocks, which takes one lock of the whole process at each lock and
  // unlock of every mutex, gRPC's own among them. Debug and sanitizer builds keep it.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
  CLI::App command(
      "credcached answers log-ons over gRPC: validated once against a slow directory, from memory after that.");
  command.footer(
      "SIGHUP reads the configuration again; SIGTERM answers what is under way and ends.\n"
      "Exit: 0 stopped as asked, 1 could not start, 2 the command line or the configuration is wrong.");
  std::string config_path;
  bool check_only = false;
  command
      .add_option("--config", config_path, "the configuration, a YAML file (service/docs/credcached.yaml explains it)")
      ->required();
  command.add_flag("--check-config", check_only, "read and check the configuration, list every mistake, start nothing");
  command.set_version_flag("--version", "credcached " CREDCACHE_VERSION);
  try {
    command.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return command.exit(error) == 0 ? 0 : credcache::kExitUsage;
  }
  if (!check_only) credcache::BindLibrariesAtStart(argv);
  return credcache::Run(config_path, check_only);
}
