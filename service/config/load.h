// From a file to a Config.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "config/config.h"

namespace credcache {

// Reads and checks the file `path`. INVALID_ARGUMENT for whatever is wrong, with every mistake on a line of its own, in
// the order of the file:
//
//   FILE:LINE: KEY: got VALUE, expected WHAT
//
// FILE is `path` as it is given. Controls in values are escaped and long values cut, so that a line is a line. No
// secret is read, so none is shown. Blocks while it reads; looks at the files that the configuration names, but opens
// none of them.
absl::StatusOr<std::shared_ptr<const Config>> LoadConfig(const std::string& path);

// The same for a text. Messages name it `file`; relative files are under `folder`.
absl::StatusOr<std::shared_ptr<const Config>> ParseConfig(absl::string_view text, absl::string_view file,
                                                          absl::string_view folder);

}  // namespace credcache
