#include "backends/pam_system_user.h"

#include <grp.h>
#include <pwd.h>

#include <cerrno>
#include <cstddef>

#include "base/limits.h"

namespace credcache {
namespace {

constexpr size_t kFirstBuffer = size_t{4} << 10;
// A group with a hundred thousand members.
constexpr size_t kLargestBuffer = size_t{4} << 20;

// Calls `look_up(buffer)`, an errno, with more and more room for as long as that is what it lacks.
template <typename LookUp>
int WithRoom(LookUp look_up) {
  for (std::vector<char> buffer(kFirstBuffer);; buffer.resize(buffer.size() * 4)) {
    const int error = look_up(buffer);
    if (error != ERANGE || buffer.size() >= kLargestBuffer) return error;
  }
}

// What getpwnam_r(3) lists beside 0 for a name that is not there.
bool MeansNobody(int error) { return error == ENOENT || error == ESRCH || error == EBADF || error == EPERM; }

int FindGroups(const std::string& name, gid_t own, std::vector<std::string>& groups) {
  std::vector<gid_t> ids(64);
  while (true) {
    int count = static_cast<int>(ids.size());
    const bool all = getgrouplist(name.c_str(), own, ids.data(), &count) >= 0;
    if (count < 0 || static_cast<size_t>(count) > kMaxGroups) return EMSGSIZE;
    const bool grows = static_cast<size_t>(count) > ids.size();
    ids.resize(static_cast<size_t>(count));
    if (all) break;
    if (!grows) return EAGAIN;
  }
  for (const gid_t id : ids) {
    group found = {};
    group* result = nullptr;
    const int error = WithRoom([&](std::vector<char>& buffer) {
      const int looked_up = getgrgid_r(id, &found, buffer.data(), buffer.size(), &result);
      if (looked_up == 0 && result != nullptr) groups.emplace_back(result->gr_name);
      return looked_up;
    });
    if (error != 0 && !MeansNobody(error)) return error;
  }
  return 0;
}

}  // namespace

SystemUserAnswer FindSystemUser(const std::string& name) {
  SystemUserAnswer answer;
  SystemUser user;
  gid_t own = 0;
  passwd found = {};
  passwd* result = nullptr;
  answer.error = WithRoom([&](std::vector<char>& buffer) {
    const int error = getpwnam_r(name.c_str(), &found, buffer.data(), buffer.size(), &result);
    if (result != nullptr) {
      user.uid = result->pw_uid;
      own = result->pw_gid;
    }
    return error;
  });
  if (MeansNobody(answer.error)) answer.error = 0;
  if (answer.error != 0 || result == nullptr) return answer;
  answer.error = FindGroups(name, own, user.groups);
  if (answer.error == 0) answer.user = std::move(user);
  return answer;
}

}  // namespace credcache
