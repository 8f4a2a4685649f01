#include "backends/tcp_socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

namespace credcache {
namespace {

// 0, or what went wrong (errno).
int ConnectTo(int fd, const addrinfo& address, Clock& clock, MonotonicTime deadline) {
  if (connect(fd, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  while (true) {
    const absl::Duration left = deadline - clock.Monotonic();
    if (left <= absl::ZeroDuration()) return ETIMEDOUT;
    pollfd event = {.fd = fd, .events = POLLOUT, .revents = 0};
    const int64_t milliseconds = std::clamp<int64_t>(absl::ToInt64Milliseconds(left) + 1, 1, 60'000);
    const int ready = poll(&event, 1, static_cast<int>(milliseconds));
    if (ready < 0 && errno != EINTR) return errno;
    if (ready > 0) break;
  }
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

void Configure(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

}  // namespace

absl::StatusOr<int> ConnectTcp(const std::string& host, int port, Clock& clock, MonotonicTime deadline) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), absl::StrCat(port).c_str(), &hints, &found);
  if (error != 0) return absl::UnavailableError(absl::StrCat("the name ", host, ": ", gai_strerror(error)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);

  int left = 0;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) ++left;
  int failure = EHOSTUNREACH;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next, --left) {
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
      failure = errno;
      continue;
    }
    absl::Cleanup closer = [fd] { close(fd); };
    // An address that swallows everything leaves the others their share.
    const MonotonicTime now = clock.Monotonic();
    failure = ConnectTo(fd, *address, clock, now + (deadline - now) / left);
    if (failure != 0) continue;
    Configure(fd);
    std::move(closer).Cancel();
    return fd;
  }
  return absl::UnavailableError(absl::StrCat("connecting: ", std::strerror(failure)));
}

}  // namespace credcache
