// The question that credcache exists for: is this credential good? Backends answer it; decorators (chain, metering,
// caching) wrap the same interface.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/identity.h"
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
};

struct Verdict {
  Decision decision = Decision::kWrongPassword;
  Identity identity;  // of the accepted; empty otherwise
  // What follows is filled in by the caching validator; backends leave it.
  Source source = Source::kBackend;
  absl::Time validated_at;                         // when the validation began
  absl::Time expires_at = absl::InfiniteFuture();  // when it stops counting; unset where nothing is cached
  Revision revision;                               // the journal's, when the validation began
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

// A log-on to be validated. A view: valid only during the call that it is passed to.
struct LogOn {
  const Username& username;               // as asked, normalised
  SecretView password;                    // 1..1024 bytes
  const Account* account = nullptr;       // what Resolve said of `username`; null: not asked yet
  std::optional<absl::Duration> max_age;  // a cached verdict counts only if validated within it; zero: validate now
  MonotonicTime deadline = MonotonicTime::InfiniteFuture();  // when nobody waits for the answer any longer
  // When it came: what limits of age are held against. Unset, nothing that is cached counts.
  MonotonicTime asked_at = MonotonicTime::InfiniteFuture();
};

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

  // Which account `username` stands for. A validator whose backend cannot tell answers with the name itself.
  virtual void Resolve(const Username& username, MonotonicTime deadline, ResolveDone done) = 0;

  // Whether the log-on's password is the account's. A user that does not exist costs the work of a wrong password,
  // unless a Resolve has said so before (the chain sees to that cost then, by asking without an account).
  virtual void Validate(const LogOn& log_on, ValidateDone done) = 0;
};

}  // namespace credcache
