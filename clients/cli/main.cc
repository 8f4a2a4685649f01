#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "cli/command_line.h"

int main(int argc, char** argv) {
  // Passwords pass through: no core dump, and nobody but root reads this process.
  prctl(PR_SET_DUMPABLE, 0);
  // gRPC logs failed handshakes and the like on its own; the command reports them, once and in words.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  credcache::cli::Console console{STDIN_FILENO, STDOUT_FILENO, std::cout, std::cerr};
  return credcache::cli::RunCommandLine(argc, argv, console);
}
