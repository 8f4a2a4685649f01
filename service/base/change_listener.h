// What a backend tells without being asked: that something in its directory changed (a change feed; design, section 6).
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace credcache {

// Who hears of it. Thread-safe; does not block, and does not call back.
class ChangeListener {
 public:
  virtual ~ChangeListener() = default;

  // What verdicts on these accounts rest on (the password, a lock, the groups) has changed, or they are gone, or new.
  // Names are canonical and normalised. Whoever asks the backend after this call is answered by what holds now.
  virtual void AccountsChanged(const std::vector<std::string>& usernames) = 0;

  // The same of every account: so many changed that to name them costs more than to validate anew, or nobody knows what
  // changed.
  virtual void EverythingChanged() = 0;

  // Whether changes are heard of. A backend that has a feed says so when it is built, and at each change; one that
  // never calls these has none. FeedUp comes after all that changed while the feed was down has been told.
  virtual void FeedUp() = 0;
  virtual void FeedDown(absl::string_view why) = 0;
};

}  // namespace credcache
