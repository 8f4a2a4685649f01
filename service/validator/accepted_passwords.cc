#include "validator/accepted_passwords.h"

#include <algorithm>

namespace credcache {

// Of a record, how long it still matters.
int64_t AcceptedPasswords::Record::Weight(MonotonicTime now) const {
  int64_t last = 0;
  for (const Password& password : passwords) last = std::max(last, password.expires);
  return last - now.nanoseconds();
}

bool AcceptedPasswords::Record::Accept(const Digest& digest, int64_t stamp, MonotonicTime now, MonotonicTime expires) {
  Password* same = nullptr;
  Password* oldest = nullptr;
  int64_t newest_stamp = 0;
  for (Password& password : passwords) {
    if (password.expires <= now.nanoseconds()) password = Password();
    if (oldest == nullptr || password.stamp < oldest->stamp) oldest = &password;
    if (password.expires == 0) continue;
    newest_stamp = std::max(newest_stamp, password.stamp);
    if (password.digest == digest) same = &password;
  }
  if (same != nullptr && stamp > same->stamp) return false;
  // A server that has not heard of the change yet tells an old stamp, and takes an old password, or, later, the new
  // one.
  const int64_t since = same == nullptr ? stamp : same->stamp;
  if (since < newest_stamp) return false;
  if (same == nullptr) {
    same = oldest;
    same->digest = digest;
    same->stamp = stamp;
  }
  same->expires = expires.nanoseconds();
  return true;
}

AcceptedPasswords::AcceptedPasswords(int64_t accounts, Clock& clock, Randomness& randomness)
    : accounts_(accounts), seed_(randomness.Bits()), clock_(clock) {}

bool AcceptedPasswords::Accept(const AccountKey& account, const Digest& digest, int64_t stamp, absl::Duration keep) {
  absl::call_once(once_, [this] {
    table_ = std::make_unique<BoundedTable<Record>>(accounts_);
    table_if_there_ = table_.get();
  });
  const MonotonicTime now = clock_.Monotonic();
  const uint64_t lifts = Lifts(account.realm);
  bool accepted = true;
  table_->Update(KeyOf(account), now, [&](Record& record) {
    if (record.lifts != lifts) record = Record{.passwords = {}, .lifts = lifts};
    accepted = record.Accept(digest, stamp, now, now + keep);
  });
  return accepted;
}

void AcceptedPasswords::Lift(const AccountKey& account) {
  BoundedTable<Record>* table = table_if_there_;
  if (table == nullptr) return;
  table->UpdateIfThere(KeyOf(account), [](Record& record) { record.passwords = {}; });
}

void AcceptedPasswords::LiftRealm(RealmId realm) {
  const absl::MutexLock lock(&mutex_);
  ++realm_lifts_[realm];
}

void AcceptedPasswords::LiftAll() {
  const absl::MutexLock lock(&mutex_);
  ++all_lifts_;
}

uint64_t AcceptedPasswords::KeyOf(const AccountKey& account) const {
  return TableKey(seed_, account.realm, account.username);
}

uint64_t AcceptedPasswords::Lifts(RealmId realm) const {
  const absl::MutexLock lock(&mutex_);
  const auto found = realm_lifts_.find(realm);
  return all_lifts_ + (found == realm_lifts_.end() ? 0 : found->second);
}

}  // namespace credcache
