// Names and texts that go into protobuf's strings, which must be UTF-8.
#pragma once

#include <CLI/App.hpp>

#include "absl/strings/string_view.h"

namespace credcache::cli {

bool IsUtf8(absl::string_view text);

// For options: refuses what is not UTF-8, here and in words, before protobuf complains of it.
CLI::Validator Utf8();

}  // namespace credcache::cli
