// A helper process: runs PAM stacks for one worker of the service (pam_process.h), and may come to harm by it
// (adr/0009).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backends/pam_stack.h"

namespace credcache {

// Where a helper finds the socket to the service. Descriptors 0 to 2 lead nowhere, and it closes all others.
inline constexpr int kPamHelperSocket = 3;

// What a program that calls RunPamHelper is given to become a helper for that stack.
std::vector<std::string> PamHelperArguments(const PamStack& stack);

// For the start of main, before there is a thread. If the arguments are those of a helper: is one, until the service is
// gone, and returns the program's exit code. Otherwise nothing.
//
// The process cannot be dumped, ends with the thread that started it, and is in no hurry to obey signals that are meant
// for the service: it ends when the service does.
std::optional<int> RunPamHelper(int argc, char** argv);

}  // namespace credcache
