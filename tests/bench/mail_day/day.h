// A day of a site, event by event, in order of time. Pure: the same parameters give the same day, whatever is answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "mail_day/dice.h"
#include "mail_day/event.h"
#include "mail_day/site.h"

namespace credcache::mail_day {

// Not thread-safe. Tens of millions of events: what each device does next waits in a bucket of its second, and only the
// second that is being played is in order.
class Day {
 public:
  // Events at or after `end` (at most kDay) do not happen.
  explicit Day(const SiteParameters& parameters, Moment end = kDay);

  const Site& site() const { return site_; }

  // The next event; nothing: the day is over.
  std::optional<Event> Next();

 private:
  // Something that happens once, or again and again by planning its next time.
  struct Planned {
    enum class Kind : uint8_t {
      kStart,
      kPoll,
      kTypedPassword,
      kConnection,
      kMail,
      kChange,
      kAdministrator,
      kSpray,
      kGuess
    };
    Moment at;
    int32_t subject;  // a device or a user, or how far an attack has come
    Kind kind;
    uint8_t left;       // connections still to be opened in this poll, beside this one
    uint32_t sequence;  // of things at the same moment, what was planned first comes first
  };
  static bool IsLater(const Planned& a, const Planned& b) {
    return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
  }

  void Plan(Moment at, Planned::Kind kind, int32_t subject, int left = 0);
  void PlanDevice(int32_t number);
  void PlanUser(int32_t number);
  void PlanNextMail(Moment now);
  // The next poll of a device, in the span that `now` is in.
  void PlanNextPoll(const Device& device, int32_t number, Moment now);
  bool OpenNextSecond();

  // What a planned thing comes to; nothing: no event.
  std::optional<Event> Happen(const Planned& planned);
  std::optional<Event> Poll(const Planned& planned);
  Event LogOn(const Planned& planned, const Device& device, int left);
  std::optional<Event> SendMail(const Planned& planned);
  Event Spray(const Planned& planned);
  int64_t DrawConnections(const Device& device, bool start);

  const SiteParameters parameters_;
  const Moment end_;
  Dice dice_;
  const Site site_;
  double most_mails_a_millisecond_;  // of the whole site, in its busiest hour

  std::vector<std::vector<Planned>> seconds_;
  size_t next_second_ = 0;
  std::vector<Planned> now_;  // a heap: the earliest in front
  uint32_t planned_ = 0;
};

}  // namespace credcache::mail_day
