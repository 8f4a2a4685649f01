#include <sys/un.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/limits.h"
#include "config/address.h"
#include "config/validate.h"

namespace credcache {
namespace {

constexpr absl::Duration kShortestTimeout = absl::Milliseconds(100);
// A flight that takes longer is given up, whatever the plug-in does.
constexpr absl::Duration kLongestTimeout = kMaxFlightDuration;

RemoteTlsConfig ValidateRemoteTls(const config::v1::RemoteTls& written, const std::string& path, Checks& checks) {
  RemoteTlsConfig tls;
  const std::string certificate = Child(path, "certificate");
  const std::string private_key = Child(path, "private_key");
  if (written.has_ca()) tls.ca = checks.File(Child(path, "ca"), written.ca(), Checks::Secrecy::kPublic);
  if (written.has_certificate()) {
    tls.certificate = checks.File(certificate, written.certificate(), Checks::Secrecy::kPublic);
  }
  if (written.has_private_key()) {
    tls.private_key = checks.File(private_key, written.private_key(), Checks::Secrecy::kSecret);
  }
  if (written.has_certificate() && !written.has_private_key()) {
    checks.source().Fail(private_key, "the private key of the certificate");
  }
  if (written.has_private_key() && !written.has_certificate()) {
    checks.source().Fail(certificate, "the certificate that private_key is for");
  }
  return tls;
}

// In the form that RemoteConfig::address has.
std::string ValidateAddress(const config::v1::Remote& written, const std::string& section, Checks& checks) {
  ConfigSource& source = checks.source();
  const std::string path = Child(section, "address");
  constexpr absl::string_view kExpected = "unix:PATH, or host:port, like unix:/run/plugin.sock";
  absl::string_view file = written.address();
  if (absl::ConsumePrefix(&file, "unix:")) {
    const std::string absolute = checks.Path(path, std::string(file));
    if (absolute.size() >= sizeof(sockaddr_un::sun_path)) {
      source.Fail(path, absl::StrCat("a path of at most ", sizeof(sockaddr_un::sun_path) - 1, " bytes (",
                                     Escaped(absolute), ")"));
    }
    if (written.has_tls()) source.Fail(Child(section, "tls"), "no TLS to a unix socket, which leads to no network");
    return absl::StrCat("unix:", absolute);
  }
  const std::optional<ListenAddress> address = ParseAddress(written.address());
  if (!address.has_value() || address->port == 0) {
    source.Fail(path, kExpected);
    return "";
  }
  if (!address->IsLoopback() && !written.has_tls() && !source.IsBad(Child(section, "tls"))) {
    source.Fail(path, "tls, or a loopback address, as this sends passwords in the clear");
  }
  return address->ToString();
}

}  // namespace

RemoteConfig ValidateRemote(const config::v1::Remote& written, const std::string& path, Checks& checks) {
  RemoteConfig remote;
  remote.address = ValidateAddress(written, path, checks);
  if (written.has_tls()) remote.tls = ValidateRemoteTls(written.tls(), Child(path, "tls"), checks);
  if (written.has_timeout()) {
    remote.timeout = checks.Length(Child(path, "timeout"), written.timeout(), kShortestTimeout, kLongestTimeout);
  }
  remote.feed = written.feed();
  return remote;
}

}  // namespace credcache
