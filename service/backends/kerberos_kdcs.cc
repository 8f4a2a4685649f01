#include "backends/kerberos_kdcs.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "backends/kerberos_context.h"
#include "backends/kerberos_profile.h"

namespace credcache {

std::string KdcAddress::ToString() const {
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]:", port) : absl::StrCat(host, ":", port);
}

absl::StatusOr<KdcAddress> ParseKdc(absl::string_view written) {
  const absl::Status bad = absl::InvalidArgumentError(
      absl::StrCat("kdc = ", SafeText(written), ": not host, host:port or [address]:port, to be asked over TCP"));
  absl::string_view rest = written;
  absl::ConsumePrefix(&rest, "tcp/");
  if (rest.find_first_of("/ \t") != absl::string_view::npos) return bad;
  KdcAddress address;
  absl::string_view port;
  if (absl::ConsumePrefix(&rest, "[")) {
    const size_t end = rest.find(']');
    if (end == absl::string_view::npos) return bad;
    address.host = std::string(rest.substr(0, end));
    rest.remove_prefix(end + 1);
    if (!rest.empty() && !absl::ConsumePrefix(&rest, ":")) return bad;
    port = rest;
    if (rest.empty() && absl::EndsWith(written, ":")) return bad;
  } else {
    const size_t colon = rest.find(':');
    address.host = std::string(rest.substr(0, colon));
    if (colon != absl::string_view::npos) {
      port = rest.substr(colon + 1);
      if (port.empty()) return bad;
    }
  }
  if (address.host.empty()) return bad;
  int number = address.port;
  if (!port.empty() && (!absl::SimpleAtoi(port, &number) || number < 1 || number > 65'535)) return bad;
  address.port = static_cast<uint16_t>(number);
  return address;
}

namespace {

std::vector<std::string> Written(const std::vector<KdcAddress>& addresses) {
  std::vector<std::string> written;
  written.reserve(addresses.size());
  for (const KdcAddress& address : addresses) written.push_back(address.ToString());
  return written;
}

}  // namespace

KnownKdcs::KnownKdcs(std::vector<KdcAddress> found, Clock& clock, Reporter& reporter)
    : addresses(std::move(found)), servers("kerberos", Written(addresses), clock, reporter) {}

KerberosKdcs::KerberosKdcs(std::string krb5_conf, std::string realm, Clock& clock, Reporter& reporter)
    : krb5_conf_(std::move(krb5_conf)), realm_(std::move(realm)), clock_(clock), reporter_(reporter) {}

absl::StatusOr<KnownKdcs*> KerberosKdcs::Get() {
  const absl::MutexLock lock(&mutex_);
  if (known_ == nullptr) {
    auto addresses = Read();
    if (!addresses.ok()) return addresses.status();
    known_ = std::make_unique<KnownKdcs>(*std::move(addresses), clock_, reporter_);
  }
  return known_.get();
}

absl::StatusOr<std::vector<KdcAddress>> KerberosKdcs::Read() const {
  const auto profile = KerberosProfile::Open(krb5_conf_);
  if (!profile.ok()) return profile.status();
  std::vector<KdcAddress> addresses;
  std::string why;
  for (const std::string& written : (*profile)->Values({"realms", realm_.c_str(), "kdc"})) {
    auto address = ParseKdc(written);
    if (address.ok()) {
      addresses.push_back(*std::move(address));
    } else {
      why = absl::StrCat(" (", address.status().message(), ")");
    }
  }
  if (addresses.empty()) {
    return absl::UnavailableError(absl::StrCat(krb5_conf_.empty() ? "krb5.conf" : krb5_conf_,
                                               " names no kdc in [realms] ", realm_, why,
                                               "; DNS is not asked for any"));
  }
  return addresses;
}

}  // namespace credcache
