#include "backends/kerberos_ticket.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace credcache {
namespace {

// As far as clocks may differ (krb5.conf's own default for clockskew).
constexpr int64_t kMostSeconds = 300;

absl::Status Refused(absl::string_view why) {
  return absl::UnavailableError(
      absl::StrCat("the answer is not proved to be the KDC's: ", why,
                   "; either the keytab is not the service's present one, or somebody else answers as the KDC"));
}

// Seconds of krb5_timestamp, which counts on past 2038 as if it had no sign.
int64_t Seconds(krb5_timestamp time) { return static_cast<uint32_t>(time); }

}  // namespace

absl::StatusOr<KerberosKeytab> OpenKeytab(const KerberosContext& context, const std::string& file,
                                          krb5_principal service) {
  krb5_keytab opened = nullptr;
  krb5_error_code code = krb5_kt_resolve(context.get(), absl::StrCat("FILE:", file).c_str(), &opened);
  KerberosKeytab keytab(opened, KerberosFree{context.get()});
  krb5_keytab_entry entry = {};
  if (code == 0) code = krb5_kt_get_entry(context.get(), opened, service, /*vno=*/0, /*enctype=*/0, &entry);
  if (code != 0) return absl::UnavailableError(absl::StrCat("keytab ", file, ": ", context.Text(code)));
  krb5_free_keytab_entry_contents(context.get(), &entry);
  return keytab;
}

absl::Status VerifyTicket(const KerberosContext& context, krb5_keytab keytab, krb5_principal user,
                          krb5_principal service, krb5_creds& credentials) {
  if (!krb5_principal_compare(context.get(), credentials.client, user) ||
      !krb5_principal_compare(context.get(), credentials.server, service)) {
    return Refused("the ticket is another's");
  }
  krb5_verify_init_creds_opt options;
  krb5_verify_init_creds_opt_init(&options);
  krb5_verify_init_creds_opt_set_ap_req_nofail(&options, 1);
  krb5_error_code code =
      krb5_verify_init_creds(context.get(), &credentials, service, keytab, /*ccache=*/nullptr, &options);
  if (code != 0) return Refused(context.Text(code));

  krb5_ticket* decoded = nullptr;
  code = krb5_decode_ticket(&credentials.ticket, &decoded);
  const KerberosPointer<krb5_ticket> ticket(decoded, KerberosFree{context.get()});
  if (code == 0) code = krb5_server_decrypt_ticket_keytab(context.get(), keytab, decoded);
  krb5_timestamp now = 0;
  if (code == 0) code = krb5_timeofday(context.get(), &now);
  if (code != 0) return Refused(context.Text(code));
  if ((static_cast<uint32_t>(decoded->enc_part2->flags) & TKT_FLG_INITIAL) == 0) {
    return Refused("the ticket was not given for a password");
  }
  if (std::abs(Seconds(decoded->enc_part2->times.authtime) - Seconds(now)) > kMostSeconds) {
    return Refused("the ticket was not given just now, or the clocks differ by more than five minutes");
  }
  return absl::OkStatus();
}

}  // namespace credcache
