// The other names of accounts, in the bucket of each name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/names.h"
#include "cache/realm_policies.h"

namespace credcache {

// Two directions. From a name to its account: names in full, since an answer depends on them. From an account to its
// other names: their keyed hashes only, to fence and forget by; a name too many here does no harm. As names of one
// account lie in different buckets, each direction is kept in the bucket of its key. Not thread-safe.
class AliasIndex {
 public:
  static constexpr size_t kMaxAliasesPerAccount = 16;
  using Names = absl::InlinedVector<uint64_t, kMaxAliasesPerAccount>;

  // `capacity`: of either direction, at least 1; beyond it, somebody else's goes for each that comes.
  explicit AliasIndex(size_t capacity) : capacity_(capacity) {}

  // A flight that began at `at` found that `alias`, whose keyed hash is `name`, stands for `canonical`. What is known
  // already is not prolonged within its age limit, since the flight may have it from here: so a backend is asked anew
  // once in an age limit.
  void Learn(uint64_t name, RealmId realm, absl::string_view alias, absl::string_view canonical, MonotonicTime at,
             absl::Duration age_limit);
  // The canonical name, if learned less than `age_limit` ago.
  std::optional<Username> Find(uint64_t name, RealmId realm, absl::string_view alias, MonotonicTime now,
                               absl::Duration age_limit) const;
  // Whether no name stands for another.
  bool empty() const { return aliases_.empty(); }
  // Forgets what `name` stands for, if it is `canonical`.
  void Forget(uint64_t name, absl::string_view canonical);

  void LearnNameOf(uint64_t account, RealmId realm, uint64_t name, MonotonicTime at);
  // The names learned less than `age_limit` ago. Forgets them.
  Names TakeNamesOf(uint64_t account, MonotonicTime now, absl::Duration age_limit);

  void ForgetRealm(RealmId realm);
  // Forgets what is past its realm's age limit, or of a realm without a policy.
  void Sweep(MonotonicTime now, const RealmPolicies& policies);
  size_t heap_size() const;

 private:
  struct Alias {
    uint64_t name;
    std::string names;  // the alias and the canonical name
    MonotonicTime learned_at;
    uint16_t alias_size;
    RealmId realm;

    absl::string_view alias() const { return absl::string_view(names).substr(0, alias_size); }
    absl::string_view canonical() const { return absl::string_view(names).substr(alias_size); }
  };
  struct NameOfAccount {
    uint64_t name;
    MonotonicTime learned_at;
  };
  struct Account {
    RealmId realm;
    std::vector<NameOfAccount> names;  // in the order in which they were last learned
  };

  static size_t NamesHeapSize(const Alias& alias);
  static size_t NamesHeapSize(const Account& account);
  template <typename Goes>
  void EraseAliasesIf(const Goes& goes);
  void EraseAlias(uint32_t position);
  template <typename Iterator>
  void EraseAccount(Iterator account);

  size_t capacity_;
  std::vector<Alias> aliases_;  // in no order; one that goes leaves its place to the last
  absl::flat_hash_map<uint64_t, uint32_t> by_name_;
  uint32_t hand_ = 0;  // the next to go when there are too many
  absl::flat_hash_map<uint64_t, Account> accounts_;
  size_t names_heap_size_ = 0;
};

}  // namespace credcache
