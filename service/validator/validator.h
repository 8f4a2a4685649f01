// The question that credcache exists for: is this credential good? Backends answer it; decorators (chain, metering,
// caching) wrap the same interface.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/identity.h"
#include "base/ip_address.h"
#include "base/names.h"
#include "base/outcome.h"
#include "base/revision.h"
#include "base/secret.h"

namespace credcache {

// What a directory says of a credential. An answer, never an error.
enum class Decision : uint8_t {
  kAccepted,
  kUnknownUser,  // this validator does not know the name; a chain goes on to the next
  kWrongPassword,
  kLocked,           // the directory has locked the account: REJECTED to callers, never cached
  kAccountDisabled,  // the password was right
  kPasswordExpired,  // the password was right
  kThrottled,        // nobody was asked: too much guessing (a decorator's word, never a backend's)
};

struct Verdict {
  Decision decision = Decision::kWrongPassword;
  Identity identity;  // of the accepted; empty otherwise
  // Of the accepted: the directory's own stamp of the account's password, greater after each change of it (Active
  // Directory's pwdLastSet, ppolicy's pwdChangedTime), as it was when the password was checked or before; 0: not known.
  int64_t password_stamp = 0;
  // What follows is filled in by the caching validator; backends leave it.
  Source source = Source::kBackend;
  absl::Time validated_at;                         // when the validation began
  absl::Time expires_at = absl::InfiniteFuture();  // when it stops counting; unset where nothing is cached
  Revision revision;                               // the journal's, when the validation began
  uint32_t password_tag = 0;                       // tells the passwords tried for one account apart
  // Of a throttled one.
  ThrottleReason throttle = ThrottleReason::kAccount;
  absl::Duration retry_after;
};

// An account that a validator knows: what one or many names stand for.
struct Account {
  Username name;        // the canonical one, normalised
  std::string subject;  // the directory's stable id; may be empty until validation
  std::string locator;  // the validator's own handle (a DN), meaningless to others; empty: it looks the name up again
  int validator = 0;    // which validator of a chain it was
  bool known = true;    // false: a Resolve found nobody; the validator does a wrong password's work, without a search
  Identity identity;    // what Resolve read of it already, for the validator's own use; may be empty
};

// Who must know at once that a log-on cannot be answered from memory: a guess counts while it is under way, not only
// when it is answered, or many at one moment would be as good as free.
class MissObserver {
 public:
  virtual ~MissObserver() = default;
  // On the thread that asks, before anything else is done about it. At most once. Returns LogOn::trusted, which nobody
  // has to know of a log-on that is answered from memory.
  virtual bool Missed(uint32_t password_tag) = 0;
};

// A name, to be told whose it is.
struct NameQuery {
  Username name;  // as asked, normalised
  MonotonicTime deadline = MonotonicTime::InfiniteFuture();
  bool quarantined = false;  // as in LogOn
};

// A log-on to be validated. A view: valid only during the call that it is passed to.
struct LogOn {
  const Username& username;               // as asked, normalised
  uint64_t name_hash = 0;                 // what Expect said of `username`; 0: it was not asked
  SecretView password;                    // 1..1024 bytes
  const Account* account = nullptr;       // what Resolve said of `username`; null: not asked yet
  std::optional<absl::Duration> max_age;  // a cached verdict counts only if validated within it; zero: validate now
  MonotonicTime deadline = MonotonicTime::InfiniteFuture();  // when nobody waits for the answer any longer
  // When it came: what limits of age are held against. Unset, nothing that is cached counts.
  MonotonicTime asked_at = MonotonicTime::InfiniteFuture();
  const IpAddress* client_address = nullptr;  // of the person's machine; null: not known
  // Likely to be right: from an address known for the account, or the refresh of what was right.
  bool trusted = false;
  // The account was invalidated a moment ago. Where several servers know the same, the one that is asked is the one
  // that the change was heard from: another may lag behind it.
  bool quarantined = false;
  MissObserver* misses = nullptr;  // null: nobody wants to know, and `trusted` is as it is
};

// Errors after which no directory can have counted a wrong password: nothing was sent, or no directory counts. Whoever
// makes one says so; all others may have been counted.
inline absl::Status WithoutRejection(absl::Status error) {
  error.SetPayload("credcache/without-rejection", absl::Cord());
  return error;
}
inline bool MayHaveRejected(const absl::Status& error) {
  return !absl::IsResourceExhausted(error) && !error.GetPayload("credcache/without-rejection").has_value();
}

// Errors that say nothing of how the backend is: it answered, and cannot tell of this one account, or it was not asked,
// since too little time was left. All others blame it, and enough of them in a row open its circuit.
inline absl::Status WithoutBlame(absl::Status error) {
  error.SetPayload("credcache/without-blame", absl::Cord());
  return error;
}
inline bool BlamesBackend(const absl::Status& error) {
  return !absl::IsResourceExhausted(error) && !error.GetPayload("credcache/without-blame").has_value();
}

// Thread-safe, and asynchronous: `done` is called exactly once, before or after the method returns, on the caller's
// thread or on another; it must not block. What a method needs of its arguments later, it copies before it returns;
// and it no longer looks at them once it has called `done`.
//
// Errors are never verdicts. UNAVAILABLE: the backend could not answer, in time or at all; nothing may be concluded.
// RESOURCE_EXHAUSTED: too many wait already. DEADLINE_EXCEEDED is not used: a backend that is late is UNAVAILABLE.
class Validator {
 public:
  using ValidateDone = absl::AnyInvocable<void(absl::StatusOr<Verdict>)>;
  // Nothing inside: nobody of that name is known here.
  using ResolveDone = absl::AnyInvocable<void(absl::StatusOr<std::optional<Account>>)>;

  virtual ~Validator() = default;

  // Which account a name stands for. A validator whose backend cannot tell answers with the name itself.
  virtual void Resolve(const NameQuery& query, ResolveDone done) = 0;

  // Whether the log-on's password is the account's. A user that does not exist costs the work of a wrong password,
  // unless a Resolve has said so before (the chain sees to that cost then, by asking without an account).
  virtual void Validate(const LogOn& log_on, ValidateDone done) = 0;

  // A log-on by that name comes soon: has what it meets first brought from memory, where that is known. Returns what
  // LogOn::name_hash is for.
  virtual uint64_t Expect(const Username& /*name*/) const { return 0; }
};

}  // namespace credcache
