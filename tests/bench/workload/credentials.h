// The users that every benchmark logs on: numbered, all names and all passwords of one length, so that realm, name and
// password are 51 bytes together. Making one costs a few nanoseconds and allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"

namespace credcache::workload {

inline constexpr absl::string_view kRealm = "corp.example";

// Users [0, kFirstMissUser) are there to be hits. Those from there up are logged on once each, so that the service has
// to ask its backend. Numbers have seven digits.
inline constexpr uint32_t kFirstMissUser = 5'000'000;
inline constexpr uint32_t kUserLimit = 10'000'000;

inline constexpr size_t kDigits = 7;
inline constexpr size_t kUsernameSize = 20;
inline constexpr size_t kPasswordSize = 19;

// Writes `user` as seven decimal digits.
inline void WriteDigits(uint32_t user, char* to) {
  for (size_t i = kDigits; i-- > 0; user /= 10) to[i] = static_cast<char>('0' + user % 10);
}

// The name and passwords of one user at a time. Views last until the next Set.
class Credentials {
 public:
  explicit Credentials(uint32_t user = 0) { Set(user); }

  void Set(uint32_t user) {
    std::array<char, kDigits> digits;
    WriteDigits(user, digits.data());
    std::memcpy(username_.data() + 5, digits.data(), kDigits);
    std::memcpy(password_.data() + 7, digits.data(), kDigits);
    std::memcpy(wrong_password_.data() + 7, digits.data(), kDigits);
  }

  absl::string_view username() const { return {username_.data(), kUsernameSize}; }
  absl::string_view password() const { return {password_.data(), kPasswordSize}; }
  // The same wrong one for the user each time, as a phone with an old password has it.
  absl::string_view wrong_password() const { return {wrong_password_.data(), kPasswordSize}; }

 private:
  std::array<char, kUsernameSize + 1> username_{"user-0000000.example"};
  std::array<char, kPasswordSize + 1> password_{"secret-0000000-word"};
  std::array<char, kPasswordSize + 1> wrong_password_{"wrong!-0000000-word"};
};

}  // namespace credcache::workload
