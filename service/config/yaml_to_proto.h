// Reads YAML 1.2 into a protobuf message, whatever message it is: the descriptor says which keys there are.
#pragma once

#include <google/protobuf/message.h>

#include <cstddef>

#include "absl/strings/string_view.h"
#include "config/source.h"

namespace credcache {

// A configuration file is at most so long, in bytes.
inline constexpr size_t kMaxConfigFileSize = size_t{1} << 20;

// Fills `message` with what `text` says, and `source` with where it says it and with every mistake: bad UTF-8, bad
// YAML, none or several documents, keys that the descriptor does not have (the nearest one is named) or only reserves
// (not built yet), keys that come twice, several keys of one oneof, values of another type than the field's.
//
// Fields: bool, int64, string, enums (written in lower case without the enum's name), google.protobuf.Duration (written
// as duration.h says), messages, and lists of them. A key without a value is a mistake. An entry of a list that is
// wrong is left empty, not out, so that places stay what they are in the file. Anchors and aliases work; tags do not.
void ReadYaml(absl::string_view text, google::protobuf::Message& message, ConfigSource& source);

}  // namespace credcache
