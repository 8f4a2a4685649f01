#include "backends/kerberos_exchange.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "backends/tcp_socket.h"
#include "validator/validator.h"

namespace credcache {
namespace {

// A ticket with Active Directory's list of a user's groups takes up to 64 KiB.
constexpr size_t kMostAnswer = size_t{1} << 20;

// Waits until the socket is ready. Errors: UNAVAILABLE.
absl::Status Await(int fd, int16_t events, Clock& clock, MonotonicTime deadline) {
  while (true) {
    const absl::Duration left = deadline - clock.Monotonic();
    if (left <= absl::ZeroDuration()) return absl::UnavailableError("no answer in time");
    pollfd event = {.fd = fd, .events = events, .revents = 0};
    const int64_t milliseconds = std::clamp<int64_t>(absl::ToInt64Milliseconds(left) + 1, 1, 60'000);
    const int ready = poll(&event, 1, static_cast<int>(milliseconds));
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return absl::UnavailableError(absl::StrCat("poll: ", std::strerror(errno)));
  }
}

absl::Status Send(int fd, absl::string_view bytes, Clock& clock, MonotonicTime deadline, bool* sent) {
  while (!bytes.empty()) {
    const ssize_t size = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size > 0) {
      *sent = true;
      bytes.remove_prefix(static_cast<size_t>(size));
    } else if (errno == EAGAIN) {
      absl::Status ready = Await(fd, POLLOUT, clock, deadline);
      if (!ready.ok()) return ready;
    } else if (errno != EINTR) {
      return absl::UnavailableError(absl::StrCat("sending: ", std::strerror(errno)));
    }
  }
  return absl::OkStatus();
}

absl::Status Receive(int fd, char* bytes, size_t size, Clock& clock, MonotonicTime deadline) {
  while (size > 0) {
    const ssize_t got = recv(fd, bytes, size, MSG_DONTWAIT);
    if (got > 0) {
      bytes += got;
      size -= static_cast<size_t>(got);
    } else if (got == 0) {
      return absl::UnavailableError("it closed the connection without an answer");
    } else if (errno == EAGAIN) {
      absl::Status ready = Await(fd, POLLIN, clock, deadline);
      if (!ready.ok()) return ready;
    } else if (errno != EINTR) {
      return absl::UnavailableError(absl::StrCat("receiving: ", std::strerror(errno)));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> AskKdc(const KdcAddress& kdc, absl::string_view request, Clock& clock,
                                   const KdcDeadlines& deadlines, bool* sent) {
  const auto fd = ConnectTcp(kdc.host, kdc.port, clock, deadlines.connection);
  if (!fd.ok()) return fd.status();
  const absl::Cleanup closer = [&fd] { close(*fd); };
  // Its length before it, in four bytes.
  uint32_t length = htonl(static_cast<uint32_t>(request.size()));
  std::string framed(reinterpret_cast<const char*>(&length), sizeof(length));
  framed.append(request.data(), request.size());
  absl::Status status = Send(*fd, framed, clock, deadlines.answer, sent);
  if (!status.ok()) return status;
  status = Receive(*fd, reinterpret_cast<char*>(&length), sizeof(length), clock, deadlines.answer);
  if (!status.ok()) return status;
  const size_t size = ntohl(length);
  if (size == 0 || size > kMostAnswer) return absl::UnavailableError(absl::StrCat("an answer of ", size, " bytes"));
  std::string answer(size, '\0');
  status = Receive(*fd, answer.data(), size, clock, deadlines.answer);
  if (!status.ok()) return status;
  return answer;
}

absl::StatusOr<std::string> AskRealm(KnownKdcs& kdcs, absl::string_view request, Proof proof, Clock& clock,
                                     absl::Duration timeout, MonotonicTime deadline, bool* sent) {
  absl::Status failure;
  const Servers::Choices choices = kdcs.servers.Order();
  for (size_t i = 0; i < choices.size(); ++i) {
    const MonotonicTime start = clock.Monotonic();
    if (start >= deadline) break;
    const auto others = static_cast<int64_t>(choices.size() - i);
    // While there is another to ask, it is left its share of the time. What is sent once may take it all.
    const MonotonicTime share = start + (deadline - start) / others;
    const MonotonicTime until = proof == Proof::kNone ? share : deadline;
    bool sent_here = false;
    const size_t server = choices[i].server;
    auto answer = AskKdc(kdcs.addresses[server], request, clock, {.connection = share, .answer = until}, &sent_here);
    *sent = *sent || sent_here;
    if (answer.ok()) {
      kdcs.servers.MarkUp(server);
      return answer;
    }
    failure = absl::UnavailableError(absl::StrCat(kdcs.servers.url(server), ": ", answer.status().message()));
    const MonotonicTime now = clock.Monotonic();
    // A failure is the KDC's, rather than that of a caller with hardly any time left.
    if (now < until || now - start >= timeout / (3 * static_cast<int64_t>(choices.size()))) {
      kdcs.servers.MarkDown(server, Servers::Failure::kUnreachable, answer.status().message());
    }
    if (sent_here && proof == Proof::kPassword) break;
  }
  if (failure.ok()) return WithoutBlame(absl::UnavailableError("no time is left to ask a KDC"));
  return kdcs.servers.AnyUp() ? WithoutBlame(failure) : failure;
}

}  // namespace credcache
