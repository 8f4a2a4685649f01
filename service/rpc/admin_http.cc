#include "rpc/admin_http.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

namespace credcache {
namespace {

constexpr char kMaxRequestSize[] = "8192";
constexpr char kMaxQueuedConnections[] = "32";

struct Address {
  std::string host;
  int port = 0;
};

// Strict, since civetweb's own syntax has more in it: lists, TLS marks, redirections.
absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  const size_t colon = text.rfind(':');
  const auto invalid = [&](absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat("admin address \"", absl::CHexEscape(text), "\": ", why,
                                                   "; expected host:port, as 127.0.0.1:9090"));
  };
  if (colon == absl::string_view::npos) return invalid("no port");
  Address address = {.host = std::string(text.substr(0, colon))};
  const absl::string_view port = text.substr(colon + 1);
  if (address.host.empty()) return invalid("no host");
  if (address.host.find_first_of(":[]") != std::string::npos) return invalid("IPv6 is not supported here");
  for (const char c : address.host) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '-') return invalid("not a host");
  }
  if (port.empty() || port.find_first_not_of("0123456789") != absl::string_view::npos ||
      !absl::SimpleAtoi(port, &address.port) || address.port > 65535) {
    return invalid("the port is not a number from 0 to 65535");
  }
  return address;
}

// The host's IPv4 address. Looked up here, since civetweb takes what is no address (999.1.1.1) for some other one.
absl::StatusOr<in_addr> Resolve(const std::string& host) {
  addrinfo hints = {};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0) {
    return absl::UnavailableError(absl::StrCat("admin address: host ", host, ": ", gai_strerror(error)));
  }
  const in_addr address = reinterpret_cast<const sockaddr_in*>(found->ai_addr)->sin_addr;
  freeaddrinfo(found);
  return address;
}

absl::string_view StatusText(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    default:
      return "Service Unavailable";
  }
}

absl::string_view OrEmpty(const char* text) { return text == nullptr ? absl::string_view() : absl::string_view(text); }

}  // namespace

class AdminHttp::Server {
 public:
  Server(AdminSources sources, Reporter& reporter) : sources_(std::move(sources)), reporter_(reporter) {
    mg_init_library(MG_FEATURES_DEFAULT);
  }
  ~Server() {
    if (context_ != nullptr) Stop();
    mg_exit_library();
  }

  absl::Status Listen(const AdminHttpOptions& options, const Address& address) {
    const absl::StatusOr<in_addr> ip = Resolve(address.host);
    if (!ip.ok()) return ip.status();
    ip_ = *ip;
    std::array<char, INET_ADDRSTRLEN> numeric = {};
    inet_ntop(AF_INET, &ip_, numeric.data(), numeric.size());
    const std::string ports = absl::StrCat(numeric.data(), ":", address.port);
    const std::string threads = absl::StrCat(options.threads);
    const std::string timeout = absl::StrCat(absl::ToInt64Milliseconds(options.request_timeout));
    // Without a document root no file is ever served; every request goes to Answer before civetweb looks at it.
    std::vector<const char*> settings = {
        "listening_ports",
        ports.c_str(),  //
        "num_threads",
        threads.c_str(),  //
        "request_timeout_ms",
        timeout.c_str(),  //
        "max_request_size",
        kMaxRequestSize,  //
        "connection_queue",
        kMaxQueuedConnections,  //
        "enable_keep_alive",
        "no",  // a connection at rest would hold a thread
        "enable_directory_listing",
        "no",  //
        "enable_auth_domain_check",
        "no",  // any Host header: probes come by address
        "tcp_nodelay",
        "1",  //
        nullptr,
    };
    mg_callbacks callbacks;
    std::memset(&callbacks, 0, sizeof callbacks);
    callbacks.begin_request = [](mg_connection* connection) {
      return static_cast<Server*>(mg_get_user_data(mg_get_context(connection)))->Answer(connection);
    };
    callbacks.log_message = [](const mg_connection* connection, const char* message) {
      static_cast<Server*>(mg_get_user_data(mg_get_context(connection)))->Log(OrEmpty(message));
      return 1;
    };
    mg_init_data init = {.callbacks = &callbacks, .user_data = this, .configuration_options = settings.data()};
    std::array<char, 256> why = {};
    mg_error_data error = {.code = nullptr, .text = why.data(), .text_buffer_size = why.size()};
    context_ = mg_start2(&init, &error);
    if (context_ == nullptr) {
      const absl::MutexLock lock(&mutex_);
      return absl::UnavailableError(absl::StrCat("cannot listen on admin address ", ports, ": ",
                                                 first_message_.empty() ? why.data() : first_message_));
    }
    mg_server_port port;
    if (mg_get_server_ports(context_, 1, &port) != 1) {
      return absl::InternalError(absl::StrCat("cannot tell the port of admin address ", ports));
    }
    port_ = port.port;
    address_ = absl::StrCat(address.host, ":", port_);
    started_.store(true);
    return absl::OkStatus();
  }

  const std::string& address() const { return address_; }
  int port() const { return port_; }

 private:
  // civetweb's listener looks every two seconds whether it is to stop, or when somebody connects: so somebody does.
  void Stop() {
    absl::Notification stopped;
    std::thread stopper([&] {
      mg_stop(context_);
      stopped.Notify();
    });
    do {
      Knock();
    } while (!stopped.WaitForNotificationWithTimeout(absl::Milliseconds(5)));
    stopper.join();
  }

  // Connects to the port, as far as that goes without waiting.
  void Knock() const {
    sockaddr_in target = {};
    target.sin_family = AF_INET;
    target.sin_port = htons(static_cast<uint16_t>(port_));
    target.sin_addr = ip_;  // 0.0.0.0 reaches this machine too
    const int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_fd < 0) return;
    (void)connect(socket_fd, reinterpret_cast<const sockaddr*>(&target), sizeof target);
    close(socket_fd);
  }

  // Returns the status, which tells civetweb that the request has been answered.
  int Answer(mg_connection* connection) {
    const mg_request_info& info = *mg_get_request_info(connection);
    const AdminRequest request = {
        .method = OrEmpty(info.request_method), .path = OrEmpty(info.local_uri), .query = OrEmpty(info.query_string)};
    const AdminReply reply = AnswerAdminRequest(request, sources_);
    std::string text = absl::StrCat("HTTP/1.1 ", reply.status, " ", StatusText(reply.status),
                                    "\r\nContent-Type: ", reply.content_type, "\r\nContent-Length: ", reply.body.size(),
                                    "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
    if (!reply.allow.empty()) absl::StrAppend(&text, "Allow: ", reply.allow, "\r\n");
    absl::StrAppend(&text, "Connection: close\r\n\r\n");
    if (request.method != "HEAD") absl::StrAppend(&text, reply.body);
    mg_write(connection, text.data(), text.size());
    return reply.status;
  }

  // What goes wrong while starting becomes Start's error; later, a report.
  void Log(absl::string_view message) {
    if (started_.load()) {
      reporter_.Report(Severity::kWarning, "admin_http", absl::StrCat("admin HTTP: ", message));
      return;
    }
    const absl::MutexLock lock(&mutex_);
    if (first_message_.empty()) first_message_ = std::string(message);
  }

  const AdminSources sources_;
  Reporter& reporter_;
  mg_context* context_ = nullptr;
  std::string address_;
  in_addr ip_ = {};
  int port_ = 0;
  std::atomic<bool> started_{false};
  absl::Mutex mutex_;
  std::string first_message_ ABSL_GUARDED_BY(mutex_);
};

AdminHttp::AdminHttp(std::unique_ptr<Server> server) : server_(std::move(server)) {}
AdminHttp::~AdminHttp() = default;

absl::StatusOr<std::unique_ptr<AdminHttp>> AdminHttp::Start(const AdminHttpOptions& options, AdminSources sources,
                                                            Reporter& reporter) {
  const absl::StatusOr<Address> address = ParseAddress(options.address);
  if (!address.ok()) return address.status();
  auto server = std::make_unique<Server>(std::move(sources), reporter);
  const absl::Status listening = server->Listen(options, *address);
  if (!listening.ok()) return listening;
  return std::unique_ptr<AdminHttp>(new AdminHttp(std::move(server)));
}

const std::string& AdminHttp::address() const { return server_->address(); }
int AdminHttp::port() const { return server_->port(); }

}  // namespace credcache
