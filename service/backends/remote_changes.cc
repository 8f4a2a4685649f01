#include "backends/remote_changes.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace credcache {
namespace {

constexpr absl::Duration kWindow = absl::Seconds(1);

}  // namespace

RemoteChangePacer::RemoteChangePacer(std::string where, Clock& clock, Reporter& reporter, ChangeListener& listener)
    : where_(std::move(where)), clock_(clock), reporter_(reporter), listener_(listener) {}

void RemoteChangePacer::Begin(const RemoteChanges& changes) {
  if (!changes.mistake.empty()) Report("remote_feed_mistake", absl::StrCat("a message of Watch ", changes.mistake));
  owed_ = true;
  End();
}

void RemoteChangePacer::End() {
  next_everything_ = clock_.Monotonic();
  Tell();
}

void RemoteChangePacer::Take(const RemoteChanges& changes) {
  const MonotonicTime now = clock_.Monotonic();
  if (now >= window_end_) {
    window_end_ = now + kWindow;
    taken_ = 0;
    mistaken_ = false;
  }
  taken_ += changes.weight;
  const bool too_many = taken_ > kMaxRemoteNames;
  if (!changes.mistake.empty() && !std::exchange(mistaken_, true)) {
    Report("remote_feed_mistake",
           absl::StrCat("a message of Watch ", changes.mistake, "; the whole realm is forgotten"));
  }
  if (too_many) {
    Report("remote_feed_flood", absl::StrCat("more than ", kMaxRemoteNames,
                                             " changes a second by Watch; the whole realm is forgotten each second"));
    paused_until_ = window_end_;
  }
  if (changes.everything || too_many) owed_ = true;
  if (owed_ && now >= next_everything_) return Tell();
  if (!too_many && !changes.usernames.empty()) listener_.AccountsChanged(changes.usernames);
}

void RemoteChangePacer::Tell() {
  const MonotonicTime now = clock_.Monotonic();
  if (!owed_ || now < next_everything_) return;
  owed_ = false;
  next_everything_ = now + kWindow;
  listener_.EverythingChanged();
}

void RemoteChangePacer::Report(absl::string_view kind, absl::string_view text) {
  reporter_.Report(Severity::kWarning, kind, absl::StrCat(where_, ": ", text));
}

}  // namespace credcache
