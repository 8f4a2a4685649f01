// Numbers for realm names, so that an entry needs two bytes for its realm.
#pragma once

#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "base/names.h"

namespace credcache {

// Thread-safe. A number, once given, stays its name's for the life of the process, through reloads of the
// configuration.
class RealmIds {
 public:
  // The name's number, new if need be. The configuration's check keeps the names below 65,536.
  RealmId Intern(absl::string_view name);
  // The name's number if it has one.
  std::optional<RealmId> Find(absl::string_view name) const;

 private:
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, RealmId> ids_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace credcache
