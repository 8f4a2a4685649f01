// What came of the log-ons: counted, timed, and checked against what had to come.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "credcache/v1/authenticate.pb.h"
#include "load/histogram.h"
#include "load/mix.h"

namespace credcache::load {

// Why this answer to a log-on of that kind is a wrong one; empty if it is not. A hit must be accepted with an identity,
// a wrong password must not be; a miss may be either, since not every backend knows such users.
absl::string_view WhyUnexpected(Kind kind, const v1::AuthenticateResponse& response);

// Not thread-safe.
struct Tally {
  // By the numbers of v1::Outcome and v1::Source; the last for what is not known here.
  std::array<uint64_t, 7> outcomes = {};
  std::array<uint64_t, 6> sources = {};
  uint64_t answers = 0;
  uint64_t errors = 0;    // log-ons without an answer
  uint64_t messages = 0;  // that brought answers
  Histogram latency;
  Histogram hit_latency;

  void Count(Kind kind, const v1::AuthenticateResponse& response, uint64_t nanoseconds);
};

// "accepted", "cache": as the JSON names the places of Tally::outcomes and Tally::sources.
std::string OutcomeName(size_t outcome);
std::string SourceName(size_t source);

}  // namespace credcache::load
