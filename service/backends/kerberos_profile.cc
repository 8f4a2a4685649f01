#include "backends/kerberos_profile.h"

#include <krb5/krb5.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace credcache {
namespace {

constexpr std::array<std::pair<absl::string_view, const char*>, 6> kOurs = {{{"canonicalize", "false"},
                                                                             {"default_ccache_name", "MEMORY:"},
                                                                             {"default_rcache_name", "none:"},
                                                                             {"dns_canonicalize_hostname", "false"},
                                                                             {"kdc_timesync", "0"},
                                                                             {"rdns", "false"}}};

// Our own value of [libdefaults] `name`, null if we have none. A section of the realm's name inside has no say either.
const char* OurValue(const char* const* names) {
  if (names[0] == nullptr || absl::string_view(names[0]) != "libdefaults") return nullptr;
  const char* last = nullptr;
  for (int i = 1; names[i] != nullptr; ++i) last = names[i];
  if (last == nullptr) return nullptr;
  for (const auto& [name, value] : kOurs) {
    if (name == last) return value;
  }
  return nullptr;
}

// A list as FreeValues frees it.
char** ListOf(const std::vector<std::string>& values) {
  auto** list = static_cast<char**>(std::calloc(values.size() + 1, sizeof(char*)));
  if (list == nullptr) return nullptr;
  for (size_t i = 0; i < values.size(); ++i) list[i] = strdup(values[i].c_str());
  return list;
}

std::vector<std::string> Read(profile_t file, const char* const* names, long* error) {  // NOLINT(google-runtime-int)
  char** list = nullptr;
  *error = profile_get_values(file, names, &list);
  if (*error != 0) return {};
  std::vector<std::string> values;
  for (char** value = list; value != nullptr && *value != nullptr; ++value) values.emplace_back(*value);
  profile_free_list(list);
  return values;
}

std::string Words(long error) {  // NOLINT(google-runtime-int)
  const char* message = krb5_get_error_message(nullptr, static_cast<krb5_error_code>(error));
  std::string words = message;
  krb5_free_error_message(nullptr, message);
  return words;
}

extern "C" {

long GetValues(void* file, const char* const* names, char*** values) {  // NOLINT(google-runtime-int)
  const char* ours = OurValue(names);
  std::vector<std::string> found;
  if (ours != nullptr) {
    found.emplace_back(ours);
  } else {
    long error = 0;  // NOLINT(google-runtime-int)
    found = Read(static_cast<profile_t>(file), names, &error);
    if (error != 0) return error;
  }
  *values = ListOf(found);
  return *values == nullptr ? ENOMEM : 0;
}

void FreeValues(void* /*file*/, char** values) {
  for (char** value = values; *value != nullptr; ++value) std::free(*value);
  std::free(static_cast<void*>(values));
}

}  // extern "C"

absl::StatusOr<profile_t> OpenSystems() {
  krb5_context context = nullptr;
  profile_t file = nullptr;
  krb5_error_code error = krb5_init_context(&context);
  if (error == 0) {
    error = krb5_get_profile(context, &file);
    krb5_free_context(context);
  }
  if (error != 0) return absl::UnavailableError(absl::StrCat("krb5.conf: ", Words(error)));
  return file;
}

}  // namespace

absl::StatusOr<std::unique_ptr<KerberosProfile>> KerberosProfile::Open(const std::string& file) {
  profile_t opened = nullptr;
  if (file.empty()) {
    const auto systems = OpenSystems();
    if (!systems.ok()) return systems.status();
    opened = *systems;
  } else {
    std::array<const char*, 2> files = {file.c_str(), nullptr};
    const long error = profile_init(files.data(), &opened);  // NOLINT(google-runtime-int)
    if (error != 0) return absl::UnavailableError(absl::StrCat(file, ": ", Words(error)));
  }
  std::unique_ptr<KerberosProfile> profile(new KerberosProfile(opened));
  const long error = profile->Wrap();  // NOLINT(google-runtime-int)
  if (error != 0) return absl::UnavailableError(absl::StrCat("krb5.conf: ", Words(error)));
  return profile;
}

long KerberosProfile::Wrap() {  // NOLINT(google-runtime-int)
  profile_vtable table = {};
  table.minor_ver = 1;
  table.get_values = GetValues;
  table.free_values = FreeValues;
  // Without cleanup and copy: copies share the file, which is ours to release.
  return profile_init_vtable(&table, file_, &ours_);
}

KerberosProfile::~KerberosProfile() {
  if (ours_ != nullptr) profile_abandon(ours_);
  profile_abandon(file_);
}

std::vector<std::string> KerberosProfile::Values(std::initializer_list<const char*> names) const {
  std::vector<const char*> path(names);
  path.push_back(nullptr);
  long error = 0;  // NOLINT(google-runtime-int)
  return Read(file_, path.data(), &error);
}

}  // namespace credcache
