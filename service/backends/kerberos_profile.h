// krb5.conf as the service reads it: the operator's, except where an answer would rest on more than the ticket.
#pragma once

#include <profile.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace credcache {

// For one thread at a time. These settings are ours, whatever the file says:
//   default_rcache_name none:    we make the request that we verify, so nobody else can replay it; and no log-on writes
//                                to a disk
//   kdc_timesync 0               a KDC that is not yet proved must not set our clock back to when an old ticket was
//   good canonicalize, dns_canonicalize_hostname, rdns    off: names mean what they say default_ccache_name MEMORY:
//   nothing should use one; if something does, it stays here
class KerberosProfile {
 public:
  // `file` is empty: the system's (KRB5_CONFIG, else /etc/krb5.conf). UNAVAILABLE: it cannot be read or understood.
  static absl::StatusOr<std::unique_ptr<KerberosProfile>> Open(const std::string& file);
  ~KerberosProfile();
  KerberosProfile(const KerberosProfile&) = delete;
  KerberosProfile& operator=(const KerberosProfile&) = delete;

  // All values of a relation, in the file's order: {"realms", "CORP.EXAMPLE", "kdc"}.
  std::vector<std::string> Values(std::initializer_list<const char*> names) const;

  // For krb5_init_context_profile. Contexts made from it refer to this.
  profile_t get() const { return ours_; }

 private:
  explicit KerberosProfile(profile_t file) : file_(file) {}
  long Wrap();  // NOLINT(google-runtime-int): libprofile's

  profile_t file_;
  profile_t ours_ = nullptr;
};

}  // namespace credcache
