// What a run has shown: as JSON for programs, and as text for people.
#pragma once

#include <string>

#include "load/run.h"

namespace credcache::load {

// What the figures are of.
struct Subject {
  std::string target;  // the address
  int connections = 1;
  RunOptions options;
};

// One object on one line, without a newline at its end. Latencies are microseconds; `requests` are log-ons answered;
// outcomes and sources that did not occur are left out.
std::string ToJson(const Subject& subject, const RunResult& result);

// A few lines.
std::string ToText(const Subject& subject, const RunResult& result);

}  // namespace credcache::load
