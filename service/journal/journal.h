// The ordered log of invalidations. Everything that is forgotten is forgotten because the journal said so, at every
// replica alike.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "base/revision.h"

namespace credcache {

// What is to be forgotten.
struct Invalidation {
  enum class Target : uint8_t { kUser, kRealm, kAll };
  Target target = Target::kAll;
  std::string realm;                   // kUser, kRealm
  std::vector<std::string> usernames;  // kUser: the normalised names that the account is known by to whoever asked
  // kUser: which account is meant could not be asked of the backend, so no flight of the realm may fill.
  bool fence_realm = false;
  // Passwords that were refused because they had been changed (realm option `retire`) may be right again.
  bool lift_retired = false;
  std::string reason;
};

// Where an append got to.
struct Appended {
  Revision revision;
  int64_t entries_removed = 0;  // at this replica
  struct Acknowledgement {
    std::string replica;
    bool lease_expired = false;  // else it acknowledged
  };
  std::vector<Acknowledgement> acknowledgements;
};

// Thread-safe.
class Journal : public RevisionSource {
 public:
  // Applies an invalidation at this replica and returns how many entries went. Called in the order of revisions, one at
  // a time.
  using Apply = absl::AnyInvocable<int64_t(Revision, const Invalidation&)>;
  using AppendDone = absl::AnyInvocable<void(absl::StatusOr<Appended>)>;

  // Appends; `done` is called, perhaps before this returns, when every replica has applied it or trusts its cache no
  // longer. UNAVAILABLE: it was applied here, and may not be elsewhere; the caller retries.
  virtual void Append(Invalidation invalidation, AppendDone done) = 0;
};

}  // namespace credcache
