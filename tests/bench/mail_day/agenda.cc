#include "mail_day/agenda.h"

#include <algorithm>
#include <utility>

#include "absl/time/time.h"

namespace credcache::mail_day {

void Agenda::After(Moment milliseconds, absl::AnyInvocable<void()> what) {
  due_.push_back({.at = now_ + milliseconds, .sequence = sequence_++, .what = std::move(what)});
  std::push_heap(due_.begin(), due_.end(), IsLater);
}

void Agenda::RunUntil(Moment moment) {
  while (!due_.empty() && due_.front().at <= moment) CallFirst();
  SetTime(moment);
}

void Agenda::RunOut() {
  while (!due_.empty()) CallFirst();
}

void Agenda::CallFirst() {
  std::pop_heap(due_.begin(), due_.end(), IsLater);
  Due first = std::move(due_.back());
  due_.pop_back();
  SetTime(first.at);
  first.what();
}

void Agenda::SetTime(Moment moment) {
  if (moment <= now_) return;
  clock_.Advance(absl::Milliseconds(moment - now_));
  now_ = moment;
}

}  // namespace credcache::mail_day
