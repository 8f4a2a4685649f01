#include "mail_day/day.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace credcache::mail_day {
namespace {

double MailsAMillisecond(const SiteParameters& parameters, double weight) {
  const double weights = std::accumulate(parameters.mails_by_hour.begin(), parameters.mails_by_hour.end(), 0.0);
  return parameters.users * parameters.mails_a_user * weight / weights / static_cast<double>(kHour);
}

bool IsOn(const Device& device, Moment now) {
  return std::any_of(device.on.begin(), device.on.end(),
                     [now](const Device::Span& span) { return span.from <= now && now < span.until; });
}

}  // namespace

Day::Day(const SiteParameters& parameters, Moment end)
    : parameters_(parameters),
      end_(std::min(end, kDay)),
      dice_(parameters.seed),
      site_(BuildSite(parameters, dice_)),
      most_mails_a_millisecond_(MailsAMillisecond(
          parameters, *std::max_element(parameters.mails_by_hour.begin(), parameters.mails_by_hour.end()))),
      seconds_(static_cast<size_t>((end_ + kSecond - 1) / kSecond)) {
  for (size_t number = 0; number < site_.devices.size(); ++number) PlanDevice(static_cast<int32_t>(number));
  for (size_t number = 0; number < site_.users.size(); ++number) PlanUser(static_cast<int32_t>(number));
  PlanNextMail(0);
  Plan(parameters_.spray_at, Planned::Kind::kSpray, 0);
  if (parameters_.guesses > 0) Plan(parameters_.guessing_at, Planned::Kind::kGuess, 0);
}

// --- what happens when

void Day::Plan(Moment at, Planned::Kind kind, int32_t subject, int left) {
  if (at >= end_) return;
  const Planned planned{
      .at = at, .subject = subject, .kind = kind, .left = static_cast<uint8_t>(left), .sequence = planned_++};
  const auto second = static_cast<size_t>(at / kSecond);
  if (second >= next_second_) return seconds_[second].push_back(planned);
  now_.push_back(planned);
  std::push_heap(now_.begin(), now_.end(), IsLater);
}

void Day::PlanDevice(int32_t number) {
  const Device& device = site_.devices[static_cast<size_t>(number)];
  for (const Device::Span& span : device.on) {
    if (span.until <= span.from) continue;
    // Who was on before midnight is somewhere between two polls.
    const Moment first = span.from > 0 ? span.from : dice_.Between(0, device.interval - 1);
    Plan(first, span.from > 0 ? Planned::Kind::kStart : Planned::Kind::kPoll, number);
  }
  if (device.switches_at == kDay || device.stale) return;
  Plan(device.switches_at, Planned::Kind::kTypedPassword, number);
  // Who typed the new password too early tries again once it is in force.
  const Moment changes_at = site_.users[static_cast<size_t>(device.user)].changes_at;
  if (device.switches_at < changes_at) Plan(changes_at + 2 * kSecond, Planned::Kind::kTypedPassword, number);
}

void Day::PlanUser(int32_t number) {
  const User& user = site_.users[static_cast<size_t>(number)];
  if (user.changes_at < kDay) Plan(user.changes_at, Planned::Kind::kChange, number);
  if (dice_.Chance(parameters_.users_invalidated)) {
    Plan(dice_.Between(parameters_.changes.first, parameters_.changes.last), Planned::Kind::kAdministrator, number);
  }
}

// At the pace of the busiest hour; SendMail leaves out what other hours have less.
void Day::PlanNextMail(Moment now) {
  if (most_mails_a_millisecond_ <= 0.0) return;
  // Gaps are shorter than a millisecond at times, and moments are whole ones: the fraction is drawn.
  const double gap = dice_.Exponential(1.0 / most_mails_a_millisecond_);
  auto whole = static_cast<Moment>(gap);
  if (dice_.Chance(gap - static_cast<double>(whole))) ++whole;
  Plan(now + whole, Planned::Kind::kMail, 0);
}

void Day::PlanNextPoll(const Device& device, int32_t number, Moment now) {
  const double jitter = parameters_.poll_jitter * (2.0 * dice_.Fraction() - 1.0);
  const Moment next = now + static_cast<Moment>(static_cast<double>(device.interval) * (1.0 + jitter));
  if (IsOn(device, next)) Plan(next, Planned::Kind::kPoll, number);
}

bool Day::OpenNextSecond() {
  while (next_second_ < seconds_.size()) {
    now_ = std::move(seconds_[next_second_]);
    seconds_[next_second_] = {};
    ++next_second_;
    if (now_.empty()) continue;
    std::make_heap(now_.begin(), now_.end(), IsLater);
    return true;
  }
  return false;
}

std::optional<Event> Day::Next() {
  while (!now_.empty() || OpenNextSecond()) {
    std::pop_heap(now_.begin(), now_.end(), IsLater);
    const Planned planned = now_.back();
    now_.pop_back();
    if (std::optional<Event> event = Happen(planned)) return event;
  }
  return std::nullopt;
}

// --- what happens

std::optional<Event> Day::Happen(const Planned& planned) {
  switch (planned.kind) {
    case Planned::Kind::kStart:
    case Planned::Kind::kPoll:
    case Planned::Kind::kTypedPassword:
      return Poll(planned);
    case Planned::Kind::kConnection:
      return LogOn(planned, site_.devices[static_cast<size_t>(planned.subject)], planned.left);
    case Planned::Kind::kMail:
      return SendMail(planned);
    case Planned::Kind::kChange:
      return Event{.at = planned.at, .kind = Event::Kind::kPasswordChange, .user = planned.subject};
    case Planned::Kind::kAdministrator:
      return Event{.at = planned.at, .kind = Event::Kind::kAdministratorInvalidates, .user = planned.subject};
    case Planned::Kind::kSpray:
      return Spray(planned);
    case Planned::Kind::kGuess:
      break;
  }
  if (planned.subject + 1 < parameters_.guesses) {
    Plan(planned.at + static_cast<Moment>(1e3 / parameters_.guesses_a_second), Planned::Kind::kGuess,
         planned.subject + 1);
  }
  return Event{.at = planned.at,
               .sender = Sender::kGuessing,
               .user = 0,
               .password = {.kind = Password::Kind::kGuess, .number = planned.subject}};
}

std::optional<Event> Day::Poll(const Planned& planned) {
  const Device& device = site_.devices[static_cast<size_t>(planned.subject)];
  // A password that is typed is an occasion of its own, beside the polls.
  if (planned.kind != Planned::Kind::kTypedPassword) PlanNextPoll(device, planned.subject, planned.at);
  if (planned.kind == Planned::Kind::kPoll && dice_.Chance(parameters_.poll_missed)) return std::nullopt;
  const bool start = planned.kind == Planned::Kind::kStart;
  return LogOn(planned, device, static_cast<int>(DrawConnections(device, start)) - 1);
}

int64_t Day::DrawConnections(const Device& device, bool start) {
  const auto draw = [this](const Range& range) { return dice_.Between(range.first, range.last); };
  if (device.stale) return draw(parameters_.stale_tries);
  switch (device.kind) {
    case Device::Kind::kPop3Phone:
      return 1;
    case Device::Kind::kImapPhone:
      return draw(parameters_.imap_phone_connections);
    case Device::Kind::kDesktop:
      break;
  }
  return draw(start ? parameters_.imap_desktop_connections_at_start : parameters_.imap_desktop_connections);
}

// One connection of a poll, and the plan for the next.
Event Day::LogOn(const Planned& planned, const Device& device, int left) {
  if (left > 0) {
    const double gap = dice_.Exponential(parameters_.between_connections_mean);
    Plan(planned.at + static_cast<Moment>(gap), Planned::Kind::kConnection, planned.subject, left - 1);
  }
  Event event{.at = planned.at, .user = device.user, .password = device.Sends(planned.at)};
  if (device.stale) {
    event.sender = Sender::kStaleDevice;
  } else if (event.password.number != site_.users[static_cast<size_t>(device.user)].RightVersion(planned.at)) {
    event.sender = Sender::kOldPassword;
  } else {
    event.sender = device.kind == Device::Kind::kDesktop ? Sender::kDesktop : Sender::kPhone;
  }
  return event;
}

std::optional<Event> Day::SendMail(const Planned& planned) {
  PlanNextMail(planned.at);
  const double weight = parameters_.mails_by_hour[static_cast<size_t>(planned.at / kHour)];
  if (!dice_.Chance(MailsAMillisecond(parameters_, weight) / most_mails_a_millisecond_)) return std::nullopt;
  const User& user = site_.users[static_cast<size_t>(dice_.Between(0, parameters_.users - 1))];
  const Device& device = site_.devices[static_cast<size_t>(user.first_device + dice_.Between(0, user.devices - 1))];
  // Whose device has a stale password notices when a mail does not go out.
  if (device.stale) return std::nullopt;
  Event event = LogOn(planned, device, 0);
  if (event.sender != Sender::kOldPassword) event.sender = Sender::kSubmission;
  return event;
}

Event Day::Spray(const Planned& planned) {
  const int32_t tried = planned.subject;
  if (tried + 1 < parameters_.spray_made_up_names + parameters_.users) {
    const double gap = 1e3 / parameters_.spray_a_second;
    Plan(parameters_.spray_at + static_cast<Moment>(gap * (tried + 1)), Planned::Kind::kSpray, tried + 1);
  }
  const bool made_up = tried < parameters_.spray_made_up_names;
  return {.at = planned.at,
          .sender = Sender::kSpray,
          .user = made_up ? parameters_.users + tried : tried - parameters_.spray_made_up_names,
          .password = {.kind = Password::Kind::kCommon}};
}

}  // namespace credcache::mail_day
