// The people of a simulated site and their devices. Every number of the model is a parameter here; README.md gives the
// reason for each.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "mail_day/dice.h"
#include "mail_day/event.h"

namespace credcache::mail_day {

// A range of whole numbers; both ends are as likely as what lies between.
struct Range {
  int64_t first;
  int64_t last;
};

// When something happens that people do at about one time.
struct AboutAt {
  Moment mean;
  Moment deviation;
};

struct SiteParameters {
  int32_t users = 50'000;
  uint64_t seed = 1;

  // Devices. A user's first is a phone or a desktop, the second the other of the two, the third a tablet (as a phone).
  std::array<double, 3> users_with_devices = {0.30, 0.45, 0.25};  // with one, two, three
  double first_is_phone = 0.70;
  double stale_devices = 0.005;  // hold a password from long ago, and retry it for ever

  // Polls. Each device has an interval of its own; each poll comes early or late by up to `poll_jitter` of it.
  Range poll_interval = {5 * kMinute, 15 * kMinute};
  double poll_jitter = 0.10;
  double poll_missed = 0.02;            // no network just then
  double phones_on_pop3 = 0.15;         // the others are on IMAP
  double phones_quiet_at_night = 0.50;  // off or dozing from the evening to the morning
  AboutAt phone_wakes = {7 * kHour, kHour};
  AboutAt phone_sleeps = {23 * kHour, kHour};

  // Log-ons of one poll: each connection has its own.
  Range imap_phone_connections = {2, 4};
  Range imap_desktop_connections_at_start = {3, 5};
  Range imap_desktop_connections = {1, 3};
  Range stale_tries = {2, 2};               // AUTHENTICATE PLAIN, then LOGIN
  double between_connections_mean = 100.0;  // ms

  // Office hours of the desktops.
  double desktops_at_nine = 0.70;  // come on with the others; the rest any time in `desktop_starts`
  AboutAt nine_o_clock = {9 * kHour, 5 * kMinute};
  Range desktop_starts = {7 * kHour + 30 * kMinute, 10 * kHour + 30 * kMinute};
  AboutAt desktop_ends = {17 * kHour, kHour};
  double desktops_sleep_at_lunch = 0.40;
  AboutAt lunch_begins = {12 * kHour, 10 * kMinute};
  AboutAt lunch_ends = {13 * kHour, 10 * kMinute};

  // Mail sent, by SMTP submission: a Poisson process over the site with the day's curve.
  double mails_a_user = 12.0;
  std::array<double, 24> mails_by_hour = {1,  1,  1,  1,  1,  2,  5,  20, 60, 100, 95, 85,
                                          60, 80, 90, 85, 75, 50, 30, 25, 20, 15,  8,  3};

  // Password changes.
  double users_who_change = 0.01;
  Range changes = {8 * kHour, 20 * kHour};
  double changes_known_early = 0.05;  // a device has the new password before the directory has
  Range known_early_by = {10 * kSecond, 2 * kMinute};
  double devices_forgotten = 0.20;  // of the user's other ones: keep sending the old password all day
  double others_switch_after_mean = 60.0 * kMinute;

  // An administrator who invalidates users, whose passwords stay.
  double users_invalidated = 0.001;

  // Attacks, each at a steady pace.
  Moment spray_at = 3 * kHour;
  double spray_a_second = 50.0;
  int32_t spray_made_up_names = 20'000;  // then every real user
  Moment guessing_at = 14 * kHour;
  double guesses_a_second = 1.0;
  int32_t guesses = 5'000;
  int32_t attackers = 500;  // addresses, of each of the two
};

struct Device {
  int32_t user = 0;
  enum class Kind : uint8_t { kImapPhone, kPop3Phone, kDesktop } kind = Kind::kImapPhone;
  bool stale = false;
  Moment interval = 10 * kMinute;
  // When it is on; a second span may be empty.
  struct Span {
    Moment from = 0;
    Moment until = 0;
  };
  std::array<Span, 2> on;
  Moment switches_at = kDay;  // when it is told the user's new password; kDay: never

  // What it sends at `now`.
  Password Sends(Moment now) const { return {.number = stale ? -1 : (now >= switches_at ? 1 : 0)}; }
};

struct User {
  int32_t first_device = 0;
  int32_t devices = 0;
  Moment changes_at = kDay;  // the password, at the directory; kDay: never

  // The version of the password that is right at `now`.
  int32_t RightVersion(Moment now) const { return now >= changes_at ? 1 : 0; }
};

struct Site {
  std::vector<User> users;
  std::vector<Device> devices;  // of one user after the other's
};

// The same site for the same parameters.
Site BuildSite(const SiteParameters& parameters, Dice& dice);

}  // namespace credcache::mail_day
