// credcache-load's command line: options, what is printed, exit codes.
#pragma once

#include <atomic>
#include <ostream>

namespace credcache::load {

// Where it prints; `interrupted` may be set by a signal's handler.
struct Surroundings {
  std::ostream& out;
  std::ostream& err;
  bool progress = false;  // the live line: err is a terminal
  const std::atomic<bool>& interrupted;
};

// Exit codes: 0 done, 1 wrong answers or errors in the run, 2 usage, 4 no server or one that went away, 130
// interrupted.
int RunCommandLine(int argc, const char* const* argv, const Surroundings& surroundings);

}  // namespace credcache::load
