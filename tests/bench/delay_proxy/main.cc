// credcache-delay-proxy: a TCP proxy whose answers come late, for a backend as slow as a benchmark wants it.
//
// What a client sends goes on at once; what the server sends back waits for the delay. One thread, which sleeps unless
// there is something to do, so that it takes no time from what is measured beside it. Messages are small: a socket that
// does not take one whole ends its connection.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "config/duration.h"

namespace credcache {
namespace {

constexpr int kExitUsage = 2;
constexpr int kExitUnavailable = 4;

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

class Proxy {
 public:
  Proxy(uint16_t server_port, absl::Duration delay) : server_port_(server_port), delay_(delay) {}

  // The port that it listens on; nothing: errno says why.
  std::optional<uint16_t> Listen();
  // Until the process is ended.
  [[noreturn]] void Serve();

 private:
  // One of the two sockets of a connection; `other` is its partner.
  struct End {
    int other;
    bool of_server;
  };
  // What is to be handed to `socket`'s client at `due`; without bytes: the end. `number` tells apart two connections
  // that had the same descriptor one after the other.
  struct Late {
    MonotonicTime due;
    int socket;
    uint64_t number;
    std::string bytes;
  };

  void Accept();
  void Read(int socket);
  void DeliverWhatIsDue();
  void Close(int socket);
  int Milliseconds() const;
  static bool SendWhole(int socket, const char* bytes, size_t size);

  const uint16_t server_port_;
  const absl::Duration delay_;
  const SystemClock clock_;
  int listener_ = -1;
  const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::unordered_map<int, End> ends_;
  std::unordered_map<int, uint64_t> numbers_;  // of clients' sockets
  uint64_t accepted_ = 0;
  std::deque<Late> late_;  // in the order in which it is due: the delay is the same for all
};

void Watch(int epoll, int socket) {
  epoll_event event = {.events = EPOLLIN, .data = {.fd = socket}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
}

void SendAtOnce(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

std::optional<uint16_t> Proxy::Listen() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (listener_ < 0 || bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      listen(listener_, SOMAXCONN) != 0 || getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return std::nullopt;
  }
  Watch(epoll_, listener_);
  return ntohs(address.sin_port);
}

void Proxy::Serve() {
  std::array<epoll_event, 64> events;
  while (true) {
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), Milliseconds());
    for (int index = 0; index < count; ++index) {
      const int socket = events[static_cast<size_t>(index)].data.fd;
      if (socket == listener_) {
        Accept();
      } else if (ends_.contains(socket)) {  // else closed by an event before this one
        Read(socket);
      }
    }
    DeliverWhatIsDue();
  }
}

void Proxy::Accept() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(server_port_);
  if (server < 0 || connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    close(client);
    if (server >= 0) close(server);
    return;
  }
  ends_[client] = {.other = server, .of_server = false};
  ends_[server] = {.other = client, .of_server = true};
  numbers_[client] = ++accepted_;
  for (const int socket : {client, server}) {
    SendAtOnce(socket);
    Watch(epoll_, socket);
  }
}

void Proxy::Read(int socket) {
  const End end = ends_.at(socket);
  std::array<char, 16 * 1024> buffer;
  const ssize_t size = recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  const size_t read = size < 0 ? 0 : static_cast<size_t>(size);
  if (!end.of_server) {
    if (read == 0 || !SendWhole(end.other, buffer.data(), read)) Close(socket);
    return;
  }
  late_.push_back({.due = clock_.Monotonic() + delay_,
                   .socket = end.other,
                   .number = numbers_.at(end.other),
                   .bytes = std::string(buffer.data(), read)});
  // Nothing more will come, and level-triggered epoll would say so without end.
  if (read == 0) epoll_ctl(epoll_, EPOLL_CTL_DEL, socket, nullptr);
}

void Proxy::DeliverWhatIsDue() {
  while (!late_.empty() && late_.front().due <= clock_.Monotonic()) {
    const Late late = std::move(late_.front());
    late_.pop_front();
    const auto number = numbers_.find(late.socket);
    if (number == numbers_.end() || number->second != late.number) continue;
    if (late.bytes.empty() || !SendWhole(late.socket, late.bytes.data(), late.bytes.size())) Close(late.socket);
  }
}

void Proxy::Close(int socket) {
  const End end = ends_.at(socket);
  for (const int each : {socket, end.other}) {
    ends_.erase(each);
    numbers_.erase(each);
    close(each);
  }
}

// Until something is due; -1: nothing is.
int Proxy::Milliseconds() const {
  if (late_.empty()) return -1;
  const absl::Duration left = late_.front().due - clock_.Monotonic();
  return left <= absl::ZeroDuration() ? 0 : static_cast<int>(absl::ToInt64Milliseconds(left)) + 1;
}

bool Proxy::SendWhole(int socket, const char* bytes, size_t size) {
  return send(socket, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(size);
}

int Main(int argc, char** argv) {
  uint16_t port = 0;
  absl::Duration delay = absl::Milliseconds(100);
  CLI::App app("A TCP proxy on loopback whose answers come late.");
  app.add_option("--to", port, "the server's port on loopback")->required()->check(CLI::Range(1, 65535));
  app.add_option_function<std::string>(
         "--delay",
         [&delay](const std::string& text) {
           const std::optional<absl::Duration> parsed = ParseDuration(text);
           if (!parsed.has_value()) throw CLI::ValidationError("--delay", "expected a duration such as 100ms");
           delay = *parsed;
         },
         "how late each answer comes")
      ->default_str(DurationText(delay))
      ->type_name("DURATION");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  Proxy proxy(port, delay);
  const std::optional<uint16_t> listens = proxy.Listen();
  if (!listens.has_value()) {
    absl::FPrintF(stderr, "credcache-delay-proxy: cannot listen: %s\n", std::strerror(errno));
    return kExitUnavailable;
  }
  absl::FPrintF(stderr, "credcache-delay-proxy ready 127.0.0.1:%d\n", *listens);
  proxy.Serve();
}

}  // namespace
}  // namespace credcache

int main(int argc, char** argv) { return credcache::Main(argc, argv); }
