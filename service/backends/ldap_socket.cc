#include "backends/ldap_socket.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>

#include "absl/time/time.h"

namespace credcache {

void LimitReadsAndWrites(int socket, absl::Duration timeout) {
  const timeval tv = absl::ToTimeval(std::max(timeout, absl::Milliseconds(1)));
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

SocketDeadline::SocketDeadline(int socket, Clock& clock, MonotonicTime deadline)
    : thread_([this, socket, left = deadline - clock.Monotonic()] {
        if (!over_.WaitForNotificationWithTimeout(left)) shutdown(socket, SHUT_RDWR);
      }) {}

SocketDeadline::~SocketDeadline() {
  over_.Notify();
  thread_.join();
}

}  // namespace credcache
