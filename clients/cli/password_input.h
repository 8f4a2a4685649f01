// Where passwords come from: a person at a terminal, a pipe, a file; never the command line.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/output.h"
#include "cli/password.h"

namespace credcache::cli {

// The whole of `path` ("-" or empty: of the console's input), without one line end at its end. At a terminal asks with
// `prompt` instead, and does not echo; an interrupt leaves the terminal as it was. INVALID_ARGUMENT when it cannot be
// read, is longer than Password::kCapacity, or a person gives none at all.
absl::StatusOr<Password> ReadPassword(const std::string& path, absl::string_view prompt, Console& console);

// The same, and a person is asked twice. INVALID_ARGUMENT, too, when the two differ.
absl::StatusOr<Password> ReadNewPassword(const std::string& path, absl::string_view prompt, Console& console);

}  // namespace credcache::cli
