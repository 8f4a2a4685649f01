// A blocking stream socket.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace credcache::peers {

// Owned by one thread. No call blocks for more than ten seconds.
class Socket {
 public:
  Socket() = default;
  ~Socket() { Close(); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // "unix:PATH", "HOST:PORT" or "[HOST]:PORT". UNAVAILABLE when nobody listens there, INVALID_ARGUMENT for anything
  // else.
  absl::Status Connect(const std::string& address);
  void Close();

  // UNAVAILABLE when the other end is gone or takes nothing.
  absl::Status Send(absl::string_view bytes);
  // Appends what has come; at least a byte. UNAVAILABLE when the other end is gone or says nothing, OUT_OF_RANGE at an
  // orderly end.
  absl::Status Receive(std::string* bytes);

 private:
  absl::Status ConnectUnix(const std::string& path);
  absl::Status ConnectTcp(const std::string& host, const std::string& port);

  int descriptor_ = -1;
};

}  // namespace credcache::peers
