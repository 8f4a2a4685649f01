// Deadlines on a socket that is libldap's.
#pragma once

#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "base/clock.h"

namespace credcache {

// From now on no read or write on the socket blocks for longer than `timeout`.
void LimitReadsAndWrites(int socket, absl::Duration timeout);

// Shuts a socket down, for as long as this lives, once the deadline has passed: whoever reads from it then gets an end.
// For the TLS handshake, which libldap 2.5 either waits for without end or, with its network timeout, polls without
// pause and without end. Has a thread of its own, so not for every day.
class SocketDeadline {
 public:
  SocketDeadline(int socket, Clock& clock, MonotonicTime deadline);
  ~SocketDeadline();
  SocketDeadline(const SocketDeadline&) = delete;
  SocketDeadline& operator=(const SocketDeadline&) = delete;

 private:
  absl::Notification over_;
  std::thread thread_;
};

}  // namespace credcache
