// One connection to one LDAP server (RFC 4511), by OpenLDAP's libldap.
#pragma once

#include <ldap.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "backends/ldap_result.h"
#include "base/clock.h"
#include "base/secret.h"

namespace credcache {

struct LdapEntry {
  std::string dn;
  std::vector<std::pair<std::string, std::vector<std::string>>> attributes;  // names as the directory writes them

  // The values of an attribute, whose name is compared without regard to case; null when it is not there.
  const std::vector<std::string>* Find(absl::string_view name) const;
};

struct LdapSearch {
  std::string base;
  int scope = LDAP_SCOPE_SUBTREE;
  std::string filter;
  std::vector<std::string> attributes;
  int size_limit = 1;
};

// What is asked for beside a request (RFC 4511, section 4.1.11); always critical.
struct LdapControl {
  std::string oid;
  std::string value;  // empty: none
};

struct LdapSearchAnswer {
  int code = 0;
  std::string diagnostic;
  std::vector<LdapEntry> entries;
};

// A message of a search that goes on.
struct LdapEvent {
  enum class Kind : uint8_t { kEntry, kIntermediate, kResult, kOther };
  Kind kind = Kind::kOther;
  int message_id = 0;
  LdapEntry entry;  // kEntry
  std::string oid;  // kIntermediate
  // kIntermediate; kEntry: of its Sync State control (RFC 4533), if it has one; kResult: of its Paged Results control
  // (RFC 2696).
  std::string value;
  int code = 0;            // kResult
  std::string diagnostic;  // kResult
};

struct LdapTls {
  bool start_tls = false;
  std::string ca;  // PEM; empty: the system's
};

// Open, or a handle to be thrown away: after an error nothing else may be asked of it. Used by one thread at a time. No
// call takes longer than its deadline, name look-ups (resolv.conf's own timeouts) aside.
//
// libldap keeps passwords in buffers of its own, which it frees without wiping.
class LdapConnection {
 public:
  // Connects, and starts TLS where `url` (ldaps://) or `tls` says so: version 1.2 or later, with the server's
  // certificate and name verified. UNAVAILABLE with a text that names the step.
  static absl::StatusOr<std::unique_ptr<LdapConnection>> Open(const std::string& url, const LdapTls& tls, Clock& clock,
                                                              MonotonicTime deadline);
  ~LdapConnection();
  LdapConnection(const LdapConnection&) = delete;
  LdapConnection& operator=(const LdapConnection&) = delete;

  // A simple bind, with the request for password policy. ABORTED: nothing of it was sent. UNAVAILABLE: it may have
  // arrived, and no answer came. INVALID_ARGUMENT: `dn` or `password` is empty, which would be an anonymous bind that
  // always succeeds; nothing is sent.
  absl::StatusOr<BindAnswer> Bind(const std::string& dn, SecretView password, MonotonicTime deadline);

  // UNAVAILABLE: no answer came. INVALID_ARGUMENT: the filter is none.
  absl::StatusOr<LdapSearchAnswer> Search(const LdapSearch& search, MonotonicTime deadline);

  // Begins a search whose messages Next brings; the server need not ever end it. The number that the messages bear;
  // UNAVAILABLE: it could not be sent.
  absl::StatusOr<int> BeginSearch(const LdapSearch& search, const std::vector<LdapControl>& controls);
  // The next message of any search begun so; nothing: none came within `wait`. UNAVAILABLE: the connection is lost.
  absl::StatusOr<std::optional<LdapEvent>> Next(absl::Duration wait);

  // Whether the server has said nothing unasked, such as that it closes the connection. Does not wait.
  bool LooksAlive() const;

 private:
  struct FreeMessage {
    void operator()(LDAPMessage* message) const { ldap_msgfree(message); }
  };
  using Message = std::unique_ptr<LDAPMessage, FreeMessage>;

  LdapConnection(LDAP* handle, int socket, Clock& clock) : handle_(handle), socket_(socket), clock_(clock) {}

  absl::Status StartTls(const std::string& url, const LdapTls& tls, MonotonicTime deadline);
  absl::Status PrepareTls(const LdapTls& tls);
  absl::StatusOr<Message> Await(int message_id, MonotonicTime deadline);
  absl::StatusOr<int> SendSearch(const LdapSearch& search, LDAPControl** controls, timeval* time_limit);
  std::string Describe(int code) const;

  LDAP* const handle_;
  const int socket_;  // the handle's, and closed by it
  Clock& clock_;
  bool needs_tls_ = false;
};

}  // namespace credcache
