#include "backends/servers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace credcache {
namespace {

constexpr absl::Duration kUnreachableCoolDown = absl::Seconds(5);
constexpr absl::Duration kRefusedCoolDown = absl::Seconds(30);

}  // namespace

Servers::Servers(absl::string_view kind, std::vector<std::string> urls, Clock& clock, Reporter& reporter)
    : down_kind_(absl::StrCat(kind, "_server_down")),
      up_kind_(absl::StrCat(kind, "_server_up")),
      urls_(std::move(urls)),
      clock_(clock),
      reporter_(reporter),
      states_(urls_.size()) {}

void Servers::SetFollowed(std::optional<size_t> server) {
  absl::MutexLock lock(&mutex_);
  followed_ = server;
}

Servers::Choices Servers::Order(Prefer prefer) const {
  Choices choices;
  Choices down;
  absl::MutexLock lock(&mutex_);
  for (size_t i = 0; i < states_.size(); ++i) {
    const State& state = states_[i];
    if (state.up) {
      choices.push_back({.server = i, .generation = state.generation});
    } else if (state.failure == Failure::kUnreachable || clock_.Monotonic() >= state.cool_until) {
      down.push_back({.server = i, .generation = state.generation});
    }
  }
  if (!down.empty()) {
    std::stable_sort(down.begin(), down.end(), [this](const Choice& a, const Choice& b) ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return states_[a.server].cool_until < states_[b.server].cool_until;
    });
    choices.insert(choices.end(), down.begin(), down.end());
  }
  if (prefer == Prefer::kFollowed && followed_ && states_[*followed_].up) {
    const auto followed = std::find_if(choices.begin(), choices.end(),
                                       [at = *followed_](const Choice& choice) { return choice.server == at; });
    std::rotate(choices.begin(), followed, followed + 1);
  }
  return choices;
}

bool Servers::AnyUp() const {
  absl::MutexLock lock(&mutex_);
  return std::any_of(states_.begin(), states_.end(), [](const State& state) { return state.up; });
}

std::string Servers::why() const {
  absl::MutexLock lock(&mutex_);
  return absl::StrCat(urls_.front(), ": ", states_.front().why);
}

void Servers::MarkDown(size_t server, Failure failure, absl::string_view why) {
  {
    absl::MutexLock lock(&mutex_);
    State& state = states_[server];
    const bool news = state.up || state.failure != failure;
    state.up = false;
    state.failure = failure;
    state.why = std::string(why);
    ++state.generation;
    state.cool_until = clock_.Monotonic() + (failure == Failure::kRefused ? kRefusedCoolDown : kUnreachableCoolDown);
    if (!news) return;
  }
  reporter_.Report(Severity::kError, down_kind_, absl::StrCat(urls_[server], ": ", why));
}

void Servers::MarkUp(size_t server) {
  {
    absl::MutexLock lock(&mutex_);
    State& state = states_[server];
    if (state.up) return;
    state.up = true;
    state.why.clear();
  }
  reporter_.Report(Severity::kInfo, up_kind_, absl::StrCat(urls_[server], ": answers again"));
}

std::optional<size_t> Servers::ClaimProbe() {
  absl::MutexLock lock(&mutex_);
  std::optional<size_t> due;
  bool another_up = false;
  for (size_t i = 0; i < states_.size(); ++i) {
    State& state = states_[i];
    another_up = another_up || state.up;
    if (!due && !state.up && clock_.Monotonic() >= state.cool_until) due = i;
  }
  if (!due || !another_up) return std::nullopt;
  states_[*due].cool_until = clock_.Monotonic() + kUnreachableCoolDown;
  return due;
}

}  // namespace credcache
