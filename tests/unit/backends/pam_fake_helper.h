// A helper process that does what it is told: for the tests of whoever asks it.
#pragma once

#include <string>
#include <vector>

namespace credcache {

// How it begins.
inline constexpr const char* kReadyHelper = "ready";
inline constexpr const char* kCrashingHelper = "crashing";
inline constexpr const char* kSilentHelper = "silent";
inline constexpr const char* kTalkingHelper = "talking";  // unasked, after an answer

// The program that is one, before its own arguments: this one.
std::vector<std::string> FakeHelper(const std::string& kind);

// For the start of main: if the arguments are those of a fake helper, is one. The name that is asked for says what
// comes of it: "crash", "exit", "hang", "garbage", "another-number", "half"; whoever else is accepted, as a user whose
// one group is the helper's process number.
void RunFakeHelperIfAsked(int argc, char** argv);

}  // namespace credcache
