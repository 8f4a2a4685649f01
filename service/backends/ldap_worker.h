// One thread's conversation with a directory: looks names up, and binds as users.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "backends/ldap_connection.h"
#include "backends/ldap_identity.h"
#include "backends/ldap_options.h"
#include "backends/servers.h"
#include "backends/typical_time.h"
#include "base/clock.h"
#include "base/names.h"
#include "base/random.h"
#include "base/reporter.h"
#include "base/secret.h"
#include "validator/validator.h"

namespace credcache {

// Those of one directory.
struct LdapTypicalTimes {
  TypicalTime rejection;  // a bind with a wrong password
  TypicalTime found;      // a search that finds somebody
  TypicalTime not_found;  // a search that finds nobody
};

// Used by one thread at a time; each call blocks, to its deadline at most. Keeps two connections open: one that is
// bound as the service's own account for searches, and one for the users' binds; and two more for the quarantined where
// the server that is followed is not the one that is asked otherwise. Errors are UNAVAILABLE.
//
// A user's password is sent once for a log-on, and only on a connection that has proved alive. A search may be asked
// again elsewhere.
class LdapWorker {
 public:
  // All must outlive it; `servers` and `typical` are shared with the other workers.
  LdapWorker(const LdapBackendOptions& options, Servers& servers, LdapTypicalTimes& typical, Clock& clock,
             Randomness& randomness, Reporter& reporter);

  // The account of a name, with its identity; nothing: no entry, or more than one, which is reported.
  absl::StatusOr<std::optional<Account>> Resolve(const NameQuery& query);

  struct Question {
    Username name;
    bool known = true;    // false: a search found nobody of that name
    std::string locator;  // the entry's DN where it is known; empty: it is looked up
    Identity identity;    // what was read with the locator
    Secret password;      // not empty
    MonotonicTime deadline;
    bool quarantined = false;  // as in LogOn
  };
  // An error after which the directory may have counted a wrong password is told from the others: WithoutRejection.
  absl::StatusOr<Verdict> Validate(const Question& question);

  // Sees whether a server that was down is back, if one is due.
  void Rest();

  // Whether users are bound without a search before.
  static bool IsDirect(const LdapBackendOptions& options) { return !options.user_dn.empty(); }

 private:
  struct Kept {
    std::unique_ptr<LdapConnection> connection;
    size_t server = 0;
    uint64_t generation = 0;
    MonotonicTime last_used;
    bool fresh = false;
    bool ends_passwords_at_nul = false;
  };
  // At one server.
  struct Connections {
    Kept search;
    Kept users;
  };
  enum class Role : uint8_t { kSearch, kUsers };

  // Of each question.
  void Begin(bool quarantined);
  absl::StatusOr<std::optional<Account>> LookUp(const Username& name, MonotonicTime deadline);

  absl::StatusOr<Verdict> ValidateBySearch(const Question& question);
  absl::StatusOr<Verdict> ValidateDirectly(const Question& question);
  absl::StatusOr<Decision> BindUser(const std::string& dn, SecretView password, MonotonicTime deadline);
  absl::StatusOr<LdapSearchAnswer> Search(const LdapSearch& search, MonotonicTime deadline);
  absl::Status ReadOwnIdentity(const std::string& dn, const Username& name, MonotonicTime deadline, Verdict& verdict);
  absl::StatusOr<LdapEntry> ReadOwnEntry(const std::string& dn, const Username& name, MonotonicTime deadline);
  absl::StatusOr<Identity> ReadIdentity(const std::string& dn, const Username& name, MonotonicTime deadline);
  absl::Status SeeSamePassword(const LdapLocator& found, MonotonicTime deadline);
  void ReportNoStamp() const;
  // The search for the groups that hold an entry, and what its answer says.
  LdapSearch NestedGroupsOf(const std::string& dn) const;
  absl::StatusOr<Identity> WithNestedGroups(const Identity& identity, const LdapSearchAnswer& answer) const;
  std::string ImpossibleDn();

  absl::Status Connect(Kept& kept, Role role, MonotonicTime deadline);
  absl::StatusOr<Kept> Open(const Servers::Choice& choice, Role role, MonotonicTime deadline,
                            Servers::Failure* failure);
  absl::Status Lost(Kept& kept, MonotonicTime asked, MonotonicTime deadline, bool blame, const absl::Status& status);
  bool WasFair(MonotonicTime asked, MonotonicTime deadline, int64_t shares) const;
  absl::Status At(size_t server, const absl::Status& status) const;

  const LdapBackendOptions& options_;
  Servers& servers_;
  LdapTypicalTimes& typical_;
  Clock& clock_;
  Randomness& randomness_;
  Reporter& reporter_;
  const std::vector<std::string> attributes_;
  const bool user_dn_is_dn_;
  Connections usual_;
  Connections followed_;  // for the quarantined, at a server that is usually not asked

  // The question's.
  Servers::Prefer prefer_ = Servers::Prefer::kConfigured;
  Connections* kept_ = &usual_;
  bool bind_unanswered_ = false;  // whether it was a rejection is not known
};

}  // namespace credcache
