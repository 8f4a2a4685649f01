#include "cache/alias_index.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cache/heap_size.h"

namespace credcache {
void AliasIndex::Learn(uint64_t name, RealmId realm, absl::string_view alias, absl::string_view canonical,
                       MonotonicTime at, absl::Duration age_limit) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    const Alias& known = aliases_[found->second];
    const bool same = known.realm == realm && known.alias() == alias && known.canonical() == canonical;
    if (same ? at - known.learned_at < age_limit : at < known.learned_at) return;
    EraseAlias(found->second);
  } else if (aliases_.size() >= capacity_) {
    hand_ = hand_ < aliases_.size() ? hand_ : 0;
    EraseAlias(hand_++);
  }
  by_name_[name] = static_cast<uint32_t>(aliases_.size());
  aliases_.push_back({.name = name,
                      .names = absl::StrCat(alias, canonical),
                      .learned_at = at,
                      .alias_size = static_cast<uint16_t>(alias.size()),
                      .realm = realm});
  names_heap_size_ += NamesHeapSize(aliases_.back());
}

std::optional<Username> AliasIndex::Find(uint64_t name, RealmId realm, absl::string_view alias, MonotonicTime now,
                                         absl::Duration age_limit) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return std::nullopt;
  const Alias& known = aliases_[found->second];
  if (known.realm != realm || known.alias() != alias || now - known.learned_at >= age_limit) return std::nullopt;
  // It is normalised already: this copies it.
  auto canonical = Username::Normalize(known.canonical(), CaseRule::kSensitive);
  return canonical.ok() ? std::optional<Username>(*canonical) : std::nullopt;
}

void AliasIndex::Forget(uint64_t name, absl::string_view canonical) {
  const auto found = by_name_.find(name);
  if (found != by_name_.end() && aliases_[found->second].canonical() == canonical) EraseAlias(found->second);
}

void AliasIndex::LearnNameOf(uint64_t account, RealmId realm, uint64_t name, MonotonicTime at) {
  if (accounts_.size() >= capacity_ && !accounts_.contains(account)) EraseAccount(accounts_.begin());
  Account& known = accounts_[account];
  known.realm = realm;
  names_heap_size_ -= NamesHeapSize(known);
  auto& names = known.names;
  const auto same = std::find_if(names.begin(), names.end(), [&](const auto& other) { return other.name == name; });
  if (same != names.end()) {
    at = std::max(at, same->learned_at);
    names.erase(same);
  } else if (names.size() >= kMaxAliasesPerAccount) {
    names.erase(names.begin());
  }
  names.push_back({.name = name, .learned_at = at});
  names_heap_size_ += NamesHeapSize(known);
}

AliasIndex::Names AliasIndex::TakeNamesOf(uint64_t account, MonotonicTime now, absl::Duration age_limit) {
  Names names;
  const auto found = accounts_.find(account);
  if (found == accounts_.end()) return names;
  for (const NameOfAccount& name : found->second.names) {
    if (now - name.learned_at < age_limit) names.push_back(name.name);
  }
  EraseAccount(found);
  return names;
}

void AliasIndex::ForgetRealm(RealmId realm) {
  EraseAliasesIf([&](const Alias& alias) { return alias.realm == realm; });
  for (auto account = accounts_.begin(); account != accounts_.end();) {
    const auto next = std::next(account);
    if (account->second.realm == realm) EraseAccount(account);
    account = next;
  }
}

void AliasIndex::Sweep(MonotonicTime now, const RealmPolicies& policies) {
  const auto past = [&](RealmId realm, MonotonicTime learned_at) {
    const CachePolicy* policy = policies.Of(realm);
    return policy == nullptr || now - learned_at >= policy->age_limit;
  };
  EraseAliasesIf([&](const Alias& alias) { return past(alias.realm, alias.learned_at); });
  for (auto account = accounts_.begin(); account != accounts_.end();) {
    const auto next = std::next(account);
    const RealmId realm = account->second.realm;
    auto& names = account->second.names;
    std::erase_if(names, [&](const NameOfAccount& name) { return past(realm, name.learned_at); });
    if (names.empty()) EraseAccount(account);
    account = next;
  }
}

template <typename Goes>
void AliasIndex::EraseAliasesIf(const Goes& goes) {
  for (auto position = static_cast<uint32_t>(aliases_.size()); position-- > 0;) {
    if (goes(aliases_[position])) EraseAlias(position);
  }
}

void AliasIndex::EraseAlias(uint32_t position) {
  names_heap_size_ -= NamesHeapSize(aliases_[position]);
  by_name_.erase(aliases_[position].name);
  if (position + 1 < aliases_.size()) {
    aliases_[position] = std::move(aliases_.back());
    by_name_[aliases_[position].name] = position;
  }
  aliases_.pop_back();
}

template <typename Iterator>
void AliasIndex::EraseAccount(Iterator account) {
  names_heap_size_ -= NamesHeapSize(account->second);
  accounts_.erase(account);
}

size_t AliasIndex::NamesHeapSize(const Alias& alias) { return TextHeapSize(alias.names); }

size_t AliasIndex::NamesHeapSize(const Account& account) {
  return HeapSize(account.names.capacity() * sizeof(NameOfAccount));
}

size_t AliasIndex::heap_size() const {
  return names_heap_size_ + HeapSize(aliases_.capacity() * sizeof(Alias)) + FlatTableHeapSize(by_name_) +
         FlatTableHeapSize(accounts_);
}

}  // namespace credcache
