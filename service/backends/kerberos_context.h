// libkrb5 for one thread, and what it says of an error.
#pragma once

#include <krb5/krb5.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "backends/kerberos_profile.h"

namespace credcache {

// For one thread at a time.
class KerberosContext {
 public:
  // `krb5_conf`: as in KerberosProfile::Open. UNAVAILABLE.
  static absl::StatusOr<std::unique_ptr<KerberosContext>> Open(const std::string& krb5_conf);
  ~KerberosContext() { krb5_free_context(context_); }
  KerberosContext(const KerberosContext&) = delete;
  KerberosContext& operator=(const KerberosContext&) = delete;

  krb5_context get() const { return context_; }

  // What libkrb5 says of the error it has just returned, as SafeText.
  std::string Text(krb5_error_code code) const;

 private:
  KerberosContext(std::unique_ptr<KerberosProfile> profile, krb5_context context)
      : profile_(std::move(profile)), context_(context) {}

  const std::unique_ptr<KerberosProfile> profile_;  // the context refers to it
  krb5_context context_;
};

// One line without controls, cut if it is long: a KDC's words, whoever the KDC is.
std::string SafeText(absl::string_view text);

// What frees libkrb5's objects with the context that they came from.
struct KerberosFree {
  krb5_context context = nullptr;
  void operator()(krb5_principal_data* principal) const { krb5_free_principal(context, principal); }
  void operator()(krb5_get_init_creds_opt* options) const { krb5_get_init_creds_opt_free(context, options); }
  void operator()(struct _krb5_init_creds_context* conversation) const { krb5_init_creds_free(context, conversation); }
  void operator()(struct _krb5_kt* keytab) const { krb5_kt_close(context, keytab); }
  void operator()(krb5_error* error) const { krb5_free_error(context, error); }
  void operator()(krb5_ticket* ticket) const { krb5_free_ticket(context, ticket); }
  // With the session key, which is wiped.
  void operator()(krb5_creds* credentials) const {
    krb5_free_cred_contents(context, credentials);
    delete credentials;
  }
};
template <typename T>
using KerberosPointer = std::unique_ptr<T, KerberosFree>;
using KerberosPrincipal = KerberosPointer<krb5_principal_data>;
using KerberosCredentials = KerberosPointer<krb5_creds>;
using KerberosKeytab = KerberosPointer<struct _krb5_kt>;

}  // namespace credcache
