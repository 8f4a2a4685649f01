// What happens on a simulated day, and in which words passwords and users are written there.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace credcache::mail_day {

// Milliseconds since the day's midnight.
using Moment = int64_t;

inline constexpr Moment kSecond = 1'000;
inline constexpr Moment kMinute = 60 * kSecond;
inline constexpr Moment kHour = 60 * kMinute;
inline constexpr Moment kDay = 24 * kHour;

// A password, by what it is rather than by its bytes.
struct Password {
  enum class Kind : uint8_t {
    kOwn,     // the user's; `number` is its version: 0 at midnight, 1 after the day's change, -1 from long ago
    kCommon,  // what everybody's password is tried to be
    kGuess,   // the `number`th try at one user
  };
  Kind kind = Kind::kOwn;
  int32_t number = 0;

  friend bool operator==(const Password&, const Password&) = default;
};

// Who or what sends a log-on, for the figures.
enum class Sender : uint8_t { kPhone, kDesktop, kSubmission, kStaleDevice, kOldPassword, kSpray, kGuessing };
inline constexpr int kSenders = 7;
absl::string_view Name(Sender sender);

struct Event {
  enum class Kind : uint8_t {
    kLogOn,
    kPasswordChange,            // at the directory: the user's version 1 is right from now on, and version 0 wrong
    kAdministratorInvalidates,  // of the user, whose password stays
  };
  Moment at = 0;
  Kind kind = Kind::kLogOn;
  Sender sender = Sender::kPhone;  // of a log-on
  int32_t user = 0;                // from 0; numbers from the site's size on are made-up names
  Password password;               // of a log-on

  friend bool operator==(const Event&, const Event&) = default;
};

// "user01234", and for made-up names too. Passwords are as long as people's (12 to 19 bytes), and differ between any
// two credentials.
std::string UserName(int32_t user);
std::string PasswordText(int32_t user, Password password);
// From where. A user's devices are behind one address; attackers use `attackers` addresses in turn.
std::string AddressText(const Event& event, int32_t attackers);
// The number in a user's name; -1: it is not one of ours.
int32_t UserNumber(absl::string_view name);

}  // namespace credcache::mail_day
