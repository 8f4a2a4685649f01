// A run in words, or as the one JSON object that credcache-load prints too.
#pragma once

#include <string>

#include "peers/load.h"

namespace credcache::peers {

// What was measured, and where.
struct Run {
  std::string kind;
  std::string target;
  uint32_t connections = 1;
  uint32_t in_flight = 1;  // all connections together
  uint32_t users = 1;
  LoadResult result;

  // Whether there are figures, and something cut them short.
  bool partial() const { return !result.error.ok() && result.requests > 0; }
};

std::string Json(const Run& run);
std::string Text(const Run& run);

// 0; 1 a user was rejected; 2 the address is none; 4 anything else: no server, or one that went away.
int ExitCode(const absl::Status& error);

}  // namespace credcache::peers
