// What the checks of the sections have in common: one value each, looked at and turned into its domain type.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/repeated_ptr_field.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "config/source.h"

namespace credcache {

absl::Duration FromProto(const google::protobuf::Duration& duration);

// Each method takes the value of the key `path`, reports what is wrong with it to the source, and returns the value to
// go on with (which means nothing if there was a mistake: no Config comes of it). Not thread-safe.
class Checks {
 public:
  // Relative files are under `folder`.
  Checks(ConfigSource& source, absl::string_view folder) : source_(source), folder_(folder) {}

  ConfigSource& source() { return source_; }

  int64_t Number(const std::string& path, int64_t value, int64_t least, int64_t most);
  absl::Duration Length(const std::string& path, const google::protobuf::Duration& value, absl::Duration least,
                        absl::Duration most);
  // 1 to 256 bytes.
  std::string Text(const std::string& path, const std::string& value);
  // Up to 4,096 bytes, for DNs and filters, which are looked at further.
  std::string LongText(const std::string& path, const std::string& value);
  // A name that stands for itself in logs and metrics: as Text, without spaces.
  std::string Word(const std::string& path, const std::string& value);
  // The texts of a list that has at least one.
  std::vector<std::string> Words(const std::string& path,
                                 const google::protobuf::RepeatedPtrField<std::string>& values);
  void NotEmpty(const std::string& list);
  // Whether a list of `count` entries is not too long.
  bool Count(const std::string& list, int count, int most);
  // The absolute path of `value`.
  std::string Path(const std::string& path, const std::string& value);

  enum class Secrecy : uint8_t { kPublic, kSecret };
  // The absolute path of a regular file that this process can read. A secret must have something in it, and nothing for
  // those who are neither its owner nor of its group.
  std::string File(const std::string& path, const std::string& value, Secrecy secrecy);

 private:
  ConfigSource& source_;
  const std::string folder_;
};

}  // namespace credcache
