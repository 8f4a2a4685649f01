#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "absl/synchronization/mutex.h"
#include "load/command_line.h"

namespace {

std::atomic<bool> interrupted = false;

}  // namespace

int main(int argc, char** argv) {
  // Costs time at each lock and unlock of gRPC's, and Debian's Abseil has it on.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // gRPC logs failed handshakes and the like on its own; they are reported, once and in words.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  struct sigaction action = {};
  action.sa_handler = [](int) { interrupted = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // the second one ends it at once
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return credcache::load::RunCommandLine(argc, argv, {std::cout, std::cerr, isatty(STDERR_FILENO) == 1, interrupted});
}
