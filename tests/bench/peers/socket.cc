#include "peers/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace credcache::peers {
namespace {

constexpr timeval kPatience = {10, 0};
constexpr size_t kReadSize = 16384;

absl::Status Failed(absl::string_view what) {
  const int error = errno;
  if (error == EAGAIN || error == EWOULDBLOCK) return absl::UnavailableError(absl::StrCat(what, ": timed out"));
  return absl::UnavailableError(absl::StrCat(what, ": ", strerror(error)));
}

void SetPatience(int descriptor) {
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
}

}  // namespace

absl::Status Socket::Connect(const std::string& address) {
  Close();
  if (absl::StartsWith(address, "unix:")) return ConnectUnix(address.substr(5));
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size()) {
    return absl::InvalidArgumentError(absl::StrCat("\"", address, "\" is no address: unix:PATH or HOST:PORT expected"));
  }
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return ConnectTcp(host, address.substr(colon + 1));
}

absl::Status Socket::ConnectUnix(const std::string& path) {
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof name.sun_path) {
    return absl::InvalidArgumentError(absl::StrCat("\"", path, "\" is too long or too short for a unix socket"));
  }
  memcpy(name.sun_path, path.data(), path.size());
  descriptor_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return Failed("socket");
  SetPatience(descriptor_);
  if (connect(descriptor_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
    absl::Status status = Failed(path);
    Close();
    return status;
  }
  return absl::OkStatus();
}

absl::Status Socket::ConnectTcp(const std::string& host, const std::string& port) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return absl::UnavailableError(absl::StrCat(host, ":", port, ": ", gai_strerror(error)));
  }
  absl::Status status = absl::UnavailableError(absl::StrCat(host, " has no address"));
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    descriptor_ = socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
    if (descriptor_ < 0) continue;
    SetPatience(descriptor_);
    const int on = 1;
    setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(descriptor_, one->ai_addr, one->ai_addrlen) == 0) {
      status = absl::OkStatus();
      break;
    }
    status = Failed(absl::StrCat(host, ":", port));
    Close();
  }
  freeaddrinfo(found);
  return status;
}

void Socket::Close() {
  if (descriptor_ >= 0) close(descriptor_);
  descriptor_ = -1;
}

absl::Status Socket::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return Failed("sending");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return absl::OkStatus();
}

absl::Status Socket::Receive(std::string* bytes) {
  std::array<char, kReadSize> buffer;
  ssize_t received = 0;
  do {
    received = recv(descriptor_, buffer.data(), buffer.size(), 0);
  } while (received < 0 && errno == EINTR);
  if (received < 0) return Failed("receiving");
  if (received == 0) return absl::OutOfRangeError("the server has closed the connection");
  bytes->append(buffer.data(), static_cast<size_t>(received));
  return absl::OkStatus();
}

}  // namespace credcache::peers
