// A configuration file as a text that can be wrong: what stands where, and the list of mistakes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace credcache {

// The names of keys: "listen.grpc", "realms[0].validators[1].ldap". The file itself is "".
inline std::string Child(absl::string_view section, absl::string_view key) {
  return section.empty() ? std::string(key) : absl::StrCat(section, ".", key);
}
inline std::string Item(absl::string_view list, int index) { return absl::StrCat(list, "[", index, "]"); }

// `text` for a line of an error message: in quotes, cut if it is long, with controls and invisible characters escaped.
std::string Quoted(absl::string_view text);
// The same without the quotes.
std::string Escaped(absl::string_view text);

// How messages show what is not one value.
inline constexpr absl::string_view kShownNothing = "nothing";
inline constexpr absl::string_view kShownList = "a list";
inline constexpr absl::string_view kShownEmptyList = "an empty list";
inline constexpr absl::string_view kShownSection = "a section";

// Filled by the reader of the file (yaml_to_proto.h), then asked by the checks (validate.h). What could not be read is
// reported once: that it is missing, or what else follows, is not another mistake. Not thread-safe.
class ConfigSource {
 public:
  // `file` is how messages name the file.
  explicit ConfigSource(absl::string_view file) : file_(file) {}

  // Records that `path` stands in `line` (from 1) with a value that messages show as `shown`.
  void Place(const std::string& path, int line, std::string shown);
  bool Has(const std::string& path) const { return places_.contains(path); }
  // The line of `path`, or of the nearest section around it that is there, or 1.
  int Line(absl::string_view path) const;
  // Whether `path` is there as a list without an entry.
  bool IsEmptyList(const std::string& path) const;

  // `path` has a value that is not what was expected. What is not there counts as "nothing".
  void Fail(const std::string& path, absl::string_view expected);
  // The same, with other words for what is there.
  void FailAs(const std::string& path, absl::string_view got, absl::string_view expected);
  // The key `path` must not be there at all. With `meant` it is taken for that one, which is then not missing.
  void Refuse(const std::string& path, absl::string_view got, absl::string_view expected,
              const std::string& meant = "");
  // Whether the section has a key that was refused.
  bool HasRefusedKey(const std::string& section) const { return with_refused_.contains(section); }
  // A mistake at `line` that belongs to no key.
  void FailLine(int line, absl::string_view what, absl::string_view got, absl::string_view expected);
  // Whether `path`, or a section around it, was reported.
  bool IsBad(absl::string_view path) const;
  // The file as a whole cannot be read: nothing else can be said of it.
  void FailFile(int line, absl::string_view got, absl::string_view expected);
  bool unreadable() const { return unreadable_; }

  bool ok() const { return mistakes_ == 0; }
  // From here on a key can be reported again, for another mistake, unless it could not be read.
  void StartChecks() { unread_ = bad_; }
  // OK, or INVALID_ARGUMENT with one mistake a line, in the order of the file: "FILE:LINE: KEY: got VALUE, expected
  // WHAT".
  absl::Status status() const;

 private:
  struct Value {
    int line;
    std::string shown;
  };

  void Report(int line, absl::string_view what, absl::string_view got, absl::string_view expected);

  const std::string file_;
  absl::flat_hash_map<std::string, Value> places_;
  absl::flat_hash_set<std::string> bad_;     // reported
  absl::flat_hash_set<std::string> unread_;  // of these, before the checks
  absl::flat_hash_set<std::string> with_refused_;
  std::multimap<int, std::string> messages_;
  bool unreadable_ = false;
  int64_t mistakes_ = 0;
};

}  // namespace credcache
