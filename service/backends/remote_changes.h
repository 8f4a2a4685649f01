// What a plug-in says in Watch, handed on at a pace that hurts nobody.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "backends/remote_messages.h"
#include "base/change_listener.h"
#include "base/clock.h"
#include "base/reporter.h"

namespace credcache {

// Names go on at once, up to kMaxRemoteNames a second. Beyond that, and where names would not do, it is
// EverythingChanged, once a second at most: what was heard is told within a second. While a plug-in sends more than is
// taken in, everything is forgotten each second, so what still waits in its queue does no harm.
//
// Used by one thread. All that it is given must outlive it.
class RemoteChangePacer {
 public:
  // `where`: what reports begin with.
  RemoteChangePacer(std::string where, Clock& clock, Reporter& reporter, ChangeListener& listener);

  // The first message of a stream: nobody knows what changed before it.
  void Begin(const RemoteChanges& changes);
  // Every other.
  void Take(const RemoteChanges& changes);

  // When Tell is to be called; InfiniteFuture: nothing is owed.
  MonotonicTime due() const { return owed_ ? next_everything_ : MonotonicTime::InfiniteFuture(); }
  void Tell();
  // The stream has ended: what is owed is told now.
  void End();

  // Until then no further message should be read. In the past: it should.
  MonotonicTime paused_until() const { return paused_until_; }

 private:
  void Report(absl::string_view kind, absl::string_view text);

  const std::string where_;
  Clock& clock_;
  Reporter& reporter_;
  ChangeListener& listener_;
  MonotonicTime window_end_;
  size_t taken_ = 0;       // in this window, as weights
  bool mistaken_ = false;  // a mistake was reported in this window
  bool owed_ = false;      // EverythingChanged
  MonotonicTime next_everything_;
  MonotonicTime paused_until_;
};

}  // namespace credcache
