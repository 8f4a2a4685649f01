#include "mail_day/site.h"

#include <algorithm>

namespace credcache::mail_day {
namespace {

Moment Within(double moment, Moment first, Moment last) { return std::clamp(static_cast<Moment>(moment), first, last); }

Moment Draw(const AboutAt& about, Dice& dice) {
  return Within(dice.Normal(static_cast<double>(about.mean), static_cast<double>(about.deviation)), 0, kDay);
}

int64_t Draw(const Range& range, Dice& dice) { return dice.Between(range.first, range.last); }

void SetPhoneHours(const SiteParameters& parameters, Dice& dice, Device& phone) {
  phone.on[0] = {0, kDay};
  if (!dice.Chance(parameters.phones_quiet_at_night)) return;
  phone.on[0].from = Draw(parameters.phone_wakes, dice);
  phone.on[0].until = std::max(phone.on[0].from, Draw(parameters.phone_sleeps, dice));
}

void SetOfficeHours(const SiteParameters& parameters, Dice& dice, Device& desktop) {
  const Moment start = dice.Chance(parameters.desktops_at_nine) ? Draw(parameters.nine_o_clock, dice)
                                                                : Draw(parameters.desktop_starts, dice);
  const Moment end = std::max(start, Draw(parameters.desktop_ends, dice));
  desktop.on[0] = {start, end};
  if (!dice.Chance(parameters.desktops_sleep_at_lunch)) return;
  const Moment lunch = std::clamp(Draw(parameters.lunch_begins, dice), start, end);
  desktop.on[0].until = lunch;
  desktop.on[1] = {std::clamp(Draw(parameters.lunch_ends, dice), lunch, end), end};
}

Device BuildDevice(const SiteParameters& parameters, Dice& dice, int32_t user, bool phone) {
  Device device{.user = user, .kind = Device::Kind::kDesktop};
  device.interval = Draw(parameters.poll_interval, dice);
  device.stale = dice.Chance(parameters.stale_devices);
  if (phone) {
    device.kind = dice.Chance(parameters.phones_on_pop3) ? Device::Kind::kPop3Phone : Device::Kind::kImapPhone;
    SetPhoneHours(parameters, dice, device);
  } else {
    SetOfficeHours(parameters, dice, device);
  }
  return device;
}

// The change is made at one of the devices; the others follow, or do not.
void ChangePassword(const SiteParameters& parameters, Dice& dice, User& user, std::vector<Device>& devices) {
  user.changes_at = Draw(parameters.changes, dice);
  const auto made_at = static_cast<int32_t>(dice.Between(0, user.devices - 1));
  for (int32_t index = 0; index < user.devices; ++index) {
    Device& device = devices[static_cast<size_t>(user.first_device) + static_cast<size_t>(index)];
    if (index == made_at) {
      device.switches_at = user.changes_at;
      if (dice.Chance(parameters.changes_known_early)) device.switches_at -= Draw(parameters.known_early_by, dice);
    } else if (!dice.Chance(parameters.devices_forgotten)) {
      const double after = dice.Exponential(parameters.others_switch_after_mean);
      device.switches_at = Within(static_cast<double>(user.changes_at) + after, 0, kDay);
    }
  }
}

}  // namespace

Site BuildSite(const SiteParameters& parameters, Dice& dice) {
  Site site;
  site.users.reserve(static_cast<size_t>(parameters.users));
  for (int32_t number = 0; number < parameters.users; ++number) {
    User user{.first_device = static_cast<int32_t>(site.devices.size()), .devices = 1};
    const double share = dice.Fraction();
    if (share >= parameters.users_with_devices[0]) ++user.devices;
    if (share >= parameters.users_with_devices[0] + parameters.users_with_devices[1]) ++user.devices;
    const bool first_is_phone = dice.Chance(parameters.first_is_phone);
    for (int32_t index = 0; index < user.devices; ++index) {
      const bool phone = index == 2 || first_is_phone == (index == 0);
      site.devices.push_back(BuildDevice(parameters, dice, number, phone));
    }
    if (dice.Chance(parameters.users_who_change)) ChangePassword(parameters, dice, user, site.devices);
    site.users.push_back(user);
  }
  return site;
}

}  // namespace credcache::mail_day
