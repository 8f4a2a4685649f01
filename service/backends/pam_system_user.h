// A user of the system's: what its databases (passwd and group, nsswitch.conf(5)) say of a name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace credcache {

struct SystemUser {
  uint32_t uid = 0;
  std::vector<std::string> groups;  // those that have names, the user's own among them
};

struct SystemUserAnswer {
  int error = 0;                   // an errno: the database of users cannot tell
  std::optional<SystemUser> user;  // nothing, and no error: nobody of that name
};

// Blocks for as long as those databases take. A database of groups that cannot tell has none: glibc does not say so.
SystemUserAnswer FindSystemUser(const std::string& name);

}  // namespace credcache
