#include <optional>

#include "absl/strings/match.h"
#include "base/limits.h"
#include "config/ldap_syntax.h"
#include "config/validate.h"

namespace credcache {
namespace {

constexpr int kMostUrls = 16;
constexpr int kMostConnections = 1024;
constexpr absl::Duration kShortestTimeout = absl::Milliseconds(100);
// A flight that takes longer is given up, whatever the directory does.
constexpr absl::Duration kLongestTimeout = kMaxFlightDuration;

void ValidateUrls(const config::v1::Ldap& written, const std::string& path, LdapConfig& ldap, Checks& checks) {
  if (written.urls().empty()) checks.source().Fail(path, "at least one URL, like ldap://dc1.example.org:389");
  checks.Count(path, written.urls_size(), kMostUrls);
  for (int i = 0; i < written.urls_size(); ++i) {
    const std::optional<LdapUrl> url = ParseLdapUrl(written.urls(i));
    if (!url.has_value()) {
      checks.source().Fail(Item(path, i), "a URL of scheme, host and port, like ldap://dc1.example.org:389");
      continue;
    }
    if (url->tls && ldap.start_tls) {
      checks.source().Fail(Item(path, i), "ldap:// with start_tls, or ldaps:// without");
    } else if (!url->tls && !ldap.start_tls && !url->loopback) {
      checks.source().Fail(Item(path, i), "start_tls or ldaps://, as this sends passwords in the clear");
    }
    ldap.urls.push_back(url->url);
  }
}

// Who searches.
void ValidateReader(const config::v1::Ldap& written, const std::string& path, LdapConfig& ldap, Checks& checks) {
  if (written.has_bind_dn()) {
    ldap.bind_dn = checks.LongText(Child(path, "bind_dn"), written.bind_dn());
    if (ldap.bind_dn.empty()) checks.source().Fail(Child(path, "bind_dn"), "a DN, or no such key");
  }
  if (written.has_bind_password_file()) {
    ldap.bind_password_file =
        checks.File(Child(path, "bind_password_file"), written.bind_password_file(), Checks::Secrecy::kSecret);
  }
  if (written.has_bind_dn() && !written.has_bind_password_file()) {
    checks.source().Fail(Child(path, "bind_password_file"), "the file with the password of bind_dn");
  }
  if (written.has_bind_password_file() && !written.has_bind_dn()) {
    checks.source().Fail(Child(path, "bind_dn"), "the DN that bind_password_file is for");
  }
}

std::string Base(const std::string& path, const std::string& value, Checks& checks) {
  std::string base = checks.LongText(path, value);
  if (!absl::StrContains(base, '=')) checks.source().Fail(path, "a DN, like ou=people,dc=example,dc=org");
  return base;
}

// Whom to bind as: the one that a search finds, or one made from the name.
void ValidateUser(const config::v1::Ldap& written, const std::string& path, LdapConfig& ldap, Checks& checks) {
  ConfigSource& source = checks.source();
  const std::string user_dn = Child(path, "user_dn");
  const std::string filter = Child(path, "filter");
  const std::string base = Child(path, "base");
  if (written.has_user_dn()) {
    ldap.user_dn = checks.LongText(user_dn, written.user_dn());
    if (!absl::StrContains(ldap.user_dn, kUsernamePlaceholder)) {
      source.Fail(user_dn, "a DN or a principal's name with {username} in it");
    }
    if (written.has_filter()) source.Fail(filter, "either base and filter, or user_dn");
    if (written.has_base()) ldap.base = Base(base, written.base(), checks);
    // A principal's name says nothing of where the entry is.
    if (written.has_base() && absl::StrContains(ldap.user_dn, '=')) {
      source.Fail(base, "either base and filter, or user_dn");
    }
    ldap.username.clear();
    return;
  }
  if (source.IsBad(user_dn)) return;
  if (!written.has_filter() && !written.has_base()) {
    if (!source.IsBad(filter) && !source.IsBad(base)) source.Fail(filter, "base and filter, or user_dn");
    return;
  }
  if (!written.has_base()) {
    source.Fail(base, "the DN to search under");
  } else {
    ldap.base = Base(base, written.base(), checks);
  }
  if (!written.has_filter()) {
    source.Fail(filter, "a search filter with {username} in it");
  } else {
    ldap.filter = checks.LongText(filter, written.filter());
    if (!IsLdapFilter(ldap.filter) || !absl::StrContains(ldap.filter, kUsernamePlaceholder)) {
      source.Fail(filter, "a search filter (RFC 4515) with {username} in it, like (uid={username})");
    }
  }
}

std::string Attribute(const std::string& path, const std::string& value, Checks& checks) {
  if (!IsLdapAttribute(value)) checks.source().Fail(path, "the name of an attribute");
  return value;
}

void ValidateNestedGroups(const config::v1::Ldap& written, const std::string& path, LdapConfig& ldap, Checks& checks) {
  if (!written.has_nested_groups_base()) return;
  ldap.nested_groups_base = Base(path, written.nested_groups_base(), checks);
  if (written.has_groups()) {
    checks.source().Fail(path, "either groups, an attribute, or nested_groups_base");
  } else if (!ldap.user_dn.empty() && ldap.base.empty() && !absl::StrContains(ldap.user_dn, '=')) {
    checks.source().Fail(path, "base too, to look for the user's entry by its principal's name");
  }
}

}  // namespace

LdapConfig ValidateLdap(const config::v1::Ldap& written, const std::string& path, Checks& checks) {
  LdapConfig ldap;
  ldap.start_tls = written.start_tls();
  // Whether passwords go in the clear cannot be said when start_tls could not be read.
  if (!checks.source().IsBad(Child(path, "start_tls"))) ValidateUrls(written, Child(path, "urls"), ldap, checks);
  if (written.has_ca()) ldap.ca = checks.File(Child(path, "ca"), written.ca(), Checks::Secrecy::kPublic);
  ValidateReader(written, path, ldap, checks);
  ValidateUser(written, path, ldap, checks);
  if (written.has_username()) ldap.username = Attribute(Child(path, "username"), written.username(), checks);
  if (written.has_groups()) ldap.groups = Attribute(Child(path, "groups"), written.groups(), checks);
  ValidateNestedGroups(written, Child(path, "nested_groups_base"), ldap, checks);
  const std::string attributes = Child(path, "attributes");
  checks.Count(attributes, written.attributes_size(), kMaxAttributes);
  for (int i = 0; i < written.attributes_size(); ++i) {
    ldap.attributes.push_back(Attribute(Item(attributes, i), written.attributes(i), checks));
  }
  if (written.has_connections()) {
    ldap.connections =
        static_cast<int>(checks.Number(Child(path, "connections"), written.connections(), 1, kMostConnections));
  }
  if (written.has_timeout()) {
    ldap.timeout = checks.Length(Child(path, "timeout"), written.timeout(), kShortestTimeout, kLongestTimeout);
  }
  ldap.feed = written.feed();
  if (ldap.feed && written.has_user_dn()) {
    checks.source().Fail(Child(path, "feed"),
                         "base and filter instead of user_dn, since what is under base is watched, or no feed");
  }
  return ldap;
}

}  // namespace credcache
