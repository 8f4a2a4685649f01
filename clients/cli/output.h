// How answers are written: for people, or as JSON.
#pragma once

#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace credcache::cli {

// What a command reads from and writes to. Tests give their own.
struct Console {
  int in;              // a file descriptor: passwords are read unbuffered, so that no stream keeps a copy
  int out_descriptor;  // behind `out`; -1: none, so not a terminal
  std::ostream& out;
  std::ostream& err;
  bool json = false;
};

// Protobuf's standard JSON on one line: lowerCamelCase names, and fields at their default too, so that a script finds
// each field in each answer.
std::string ToJson(const google::protobuf::Message& message);

// `text` from elsewhere with its control characters escaped, so that no answer can drive the terminal.
std::string Printable(absl::string_view text);

// 1234567 -> "1,234,567".
std::string Grouped(uint64_t number);

// 1536 -> "1.5 KiB".
std::string Bytes(uint64_t bytes);

absl::Time ToTime(const google::protobuf::Timestamp& timestamp);

// "2026-08-02 10:00:00 UTC (3m12s ago)" or "(in 5m)".
std::string TimeAndDistance(absl::Time time, absl::Time now);

}  // namespace credcache::cli
