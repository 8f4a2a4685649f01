#include "mail_day/event.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace credcache::mail_day {

absl::string_view Name(Sender sender) {
  static constexpr std::array<absl::string_view, kSenders> kNames = {
      "phone", "desktop", "submission", "stale_device", "old_password", "spray", "guessing"};
  return kNames[static_cast<size_t>(sender)];
}

std::string UserName(int32_t user) { return absl::StrCat("user", absl::Dec(user, absl::kZeroPad5)); }

std::string PasswordText(int32_t user, Password password) {
  switch (password.kind) {
    case Password::Kind::kOwn:
      return absl::StrCat("Own-", user, "-secret-", password.number);
    case Password::Kind::kCommon:
      return "Winter2026!!";
    case Password::Kind::kGuess:
      break;
  }
  return absl::StrCat("guess-", absl::Dec(password.number, absl::kZeroPad8));
}

std::string AddressText(const Event& event, int32_t attackers) {
  const bool spray = event.sender == Sender::kSpray;
  if (!spray && event.sender != Sender::kGuessing) {
    return absl::StrCat("2001:db8:", absl::Hex(event.user >> 16), ":", absl::Hex(event.user & 0xffff), "::1");
  }
  const int32_t number = (spray ? event.user : event.password.number) % attackers;
  return absl::StrCat(spray ? "198.18." : "198.19.", number / 256, ".", number % 256);
}

int32_t UserNumber(absl::string_view name) {
  int32_t number = 0;
  return absl::ConsumePrefix(&name, "user") && absl::SimpleAtoi(name, &number) && number >= 0 ? number : -1;
}

}  // namespace credcache::mail_day
