#include "backends/ldap_root.h"

#include <algorithm>
#include <utility>

#include "backends/ldap_dn.h"

namespace credcache {
namespace {

constexpr const char* kControls = "supportedControl";
constexpr const char* kContexts = "namingContexts";

}  // namespace

LdapSearch RootDse(std::vector<std::string> attributes) {
  return {.base = "", .scope = LDAP_SCOPE_BASE, .filter = kAnyEntry, .attributes = std::move(attributes)};
}

bool LdapRoot::Offers(absl::string_view control) const {
  return std::find(controls.begin(), controls.end(), control) != controls.end();
}

std::string LdapRoot::ContextOf(const std::string& dn) const {
  std::string best;
  for (const std::string& context : contexts) {
    // One naming context may lie within another.
    if (IsBelow(dn, context) && context.size() > best.size()) best = context;
  }
  return best.empty() ? dn : best;
}

absl::StatusOr<LdapRoot> ReadRoot(LdapConnection& connection, const std::string& url, MonotonicTime deadline) {
  auto answer = connection.Search(RootDse({kControls, kContexts}), deadline);
  if (!answer.ok()) return absl::UnavailableError(answer.status().message());
  LdapRoot root = {.url = url};
  if (answer->entries.empty()) return root;
  if (const auto* controls = answer->entries.front().Find(kControls)) root.controls = *controls;
  if (const auto* contexts = answer->entries.front().Find(kContexts)) root.contexts = *contexts;
  return root;
}

}  // namespace credcache
