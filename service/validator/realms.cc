#include "validator/realms.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"

namespace credcache {
namespace {

// Realm names are compared as usernames are, folded; one that is no name (which no configuration has) is found nowhere.
std::string Fold(absl::string_view name) {
  const absl::StatusOr<Username> folded = Username::Normalize(name, CaseRule::kFold);
  return folded.ok() ? std::string(folded->view()) : std::string();
}

// As rfind, which goes byte by byte.
size_t FindLast(absl::string_view text, char wanted) {
  const void* found = text.empty() ? nullptr : memrchr(text.data(), wanted, text.size());
  return found == nullptr ? absl::string_view::npos
                          : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

}  // namespace

Realms::Realms(std::vector<Realm> realms, size_t default_index)
    : realms_(std::move(realms)), default_index_(default_index) {
  for (const Realm& realm : realms_) {
    by_name_.emplace(Fold(realm.name), &realm);
    for (const std::string& alias : realm.aliases) by_name_.emplace(Fold(alias), &realm);
  }
}

const Realm* Realms::Find(absl::string_view name) const {
  if (name.empty()) return nullptr;
  // Most write it folded already. What is found is its own folded form, since folding twice changes nothing more.
  if (const auto found = by_name_.find(name); found != by_name_.end()) return found->second;
  const auto found = by_name_.find(Fold(name));
  return found == by_name_.end() ? nullptr : found->second;
}

absl::StatusOr<Realms::Routed> Realms::Route(absl::string_view realm, absl::string_view username) const {
  const Realm* target = nullptr;
  if (!realm.empty()) {
    target = Find(realm);
  } else {
    const size_t backslash = username.find('\\');
    const size_t at = FindLast(username, '@');
    if (backslash != absl::string_view::npos) target = Find(username.substr(0, backslash));
    if (target != nullptr) {
      username.remove_prefix(backslash + 1);
    } else if (at != absl::string_view::npos) {
      target = Find(username.substr(at + 1));
      if (target != nullptr) username.remove_suffix(username.size() - at);
    }
    if (target == nullptr) target = &realms_[default_index_];
  }
  // A name in a realm that does not exist is checked all the same: whether it is a name does not depend on the realm.
  absl::StatusOr<Routed> routed(absl::in_place, target);
  const CaseRule rule = target == nullptr ? CaseRule::kFold : target->case_rule;
  if (absl::Status status = Username::Normalize(username, rule, routed->username); !status.ok()) return status;
  return routed;
}

CurrentRealms::CurrentRealms(std::shared_ptr<const Realms> realms) : current_(realms), in_force_(std::move(realms)) {}

void CurrentRealms::Set(std::shared_ptr<const Realms> realms) {
  absl::MutexLock lock(&mutex_);
  current_.Set(realms);
  std::shared_ptr<const Realms> before = std::exchange(in_force_, std::move(realms));
  if (before != nullptr) retired_.push_back(std::move(before));
}

bool CurrentRealms::Reap() {
  std::vector<std::shared_ptr<const Realms>> ended;  // destroyed outside the lock
  absl::MutexLock lock(&mutex_);
  const auto unused =
      std::partition(retired_.begin(), retired_.end(), [](const auto& set) { return set.use_count() > 1; });
  ended.assign(std::make_move_iterator(unused), std::make_move_iterator(retired_.end()));
  retired_.erase(unused, retired_.end());
  return retired_.empty();
}

}  // namespace credcache
