#include "base/limits.h"
#include "config/validate.h"

namespace credcache {
namespace {

constexpr int kMostWorkers = 1024;
constexpr absl::Duration kShortestTimeout = absl::Milliseconds(100);
// A flight that takes longer is given up, whatever the KDC does.
constexpr absl::Duration kLongestTimeout = kMaxFlightDuration;
// What would end a name, or escape something, in a principal.
constexpr const char* kNotInRealms = "@/\\: ";
constexpr const char* kNotInServices = "@\\: ";

}  // namespace

KerberosConfig ValidateKerberos(const config::v1::Kerberos& written, const std::string& path, Checks& checks) {
  KerberosConfig kerberos;
  ConfigSource& source = checks.source();
  const std::string realm = Child(path, "realm");
  if (written.has_realm()) kerberos.realm = checks.Text(realm, written.realm());
  if (kerberos.realm.empty() || kerberos.realm.find_first_of(kNotInRealms) != std::string::npos) {
    source.Fail(realm, "a Kerberos realm, like CORP.EXAMPLE");
  }
  const std::string keytab = Child(path, "keytab");
  if (written.has_keytab()) {
    kerberos.keytab = checks.File(keytab, written.keytab(), Checks::Secrecy::kSecret);
  } else {
    source.Fail(keytab, "the file with the keys of the service");
  }
  const std::string service = Child(path, "service");
  if (written.has_service()) kerberos.service = checks.Text(service, written.service());
  const size_t slash = kerberos.service.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == kerberos.service.size() ||
      kerberos.service.find_first_of(kNotInServices) != std::string::npos) {
    source.Fail(service, "the principal in the keytab without its realm, like host/mail.corp.example");
  }
  if (written.has_krb5_conf()) {
    kerberos.krb5_conf = checks.File(Child(path, "krb5_conf"), written.krb5_conf(), Checks::Secrecy::kPublic);
  }
  if (written.has_workers()) {
    kerberos.workers = static_cast<int>(checks.Number(Child(path, "workers"), written.workers(), 1, kMostWorkers));
  }
  if (written.has_timeout()) {
    kerberos.timeout = checks.Length(Child(path, "timeout"), written.timeout(), kShortestTimeout, kLongestTimeout);
  }
  return kerberos;
}

}  // namespace credcache
