#include "rpc/admin_http.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/no_reporter.h"
#include "metrics/metrics.h"

namespace credcache {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

int Connect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return fd;
}

std::string ReadToEnd(int fd) {
  std::string out;
  char buffer[4096];
  for (ssize_t size = 0; (size = read(fd, buffer, sizeof buffer)) > 0;) out.append(buffer, static_cast<size_t>(size));
  return out;
}

// What comes back for these bytes, up to the server's closing the connection.
std::string Exchange(int port, absl::string_view bytes) {
  const int fd = Connect(port);
  EXPECT_EQ(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  std::string reply = ReadToEnd(fd);
  close(fd);
  return reply;
}

class AdminHttpTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<AdminHttp>> Start(AdminHttpOptions options) {
    return AdminHttp::Start(options, {.metrics = metrics_, .readiness = [this] { return checks_; }}, reporter_);
  }
  void SetUp() override {
    auto server = Start({.address = "127.0.0.1:0", .request_timeout = absl::Milliseconds(300)});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  std::string Ask(absl::string_view method, absl::string_view target) {
    return Exchange(server_->port(), absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: anything\r\n\r\n"));
  }

  Metrics metrics_{{.version = "1", .revision = "r"}};
  std::vector<ReadinessCheck> checks_ = {{.name = "grpc"}};
  NoReporter reporter_;
  std::unique_ptr<AdminHttp> server_;
};

TEST_F(AdminHttpTest, APortOfItsOwnIsTold) {
  EXPECT_GT(server_->port(), 0);
  EXPECT_EQ(server_->address(), absl::StrCat("127.0.0.1:", server_->port()));
}

TEST_F(AdminHttpTest, MetricsAreServed) {
  metrics_.ForRealm("corp").CountHit();
  const std::string reply = Ask("GET", "/metrics");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(reply, HasSubstr("\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(reply, HasSubstr("\ncredcache_cache_hits_total{realm=\"corp\"} 1\n"));
}

TEST_F(AdminHttpTest, HeadTellsTheSizeOnly) {
  const std::string reply = Ask("HEAD", "/livez");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(reply, HasSubstr("\r\nContent-Length: 3\r\n"));
  EXPECT_THAT(reply, EndsWith("\r\n\r\n"));
}

TEST_F(AdminHttpTest, ProbesFollowTheChecks) {
  EXPECT_THAT(Ask("GET", "/readyz"), StartsWith("HTTP/1.1 200 OK\r\n"));
  checks_ = {{.name = "grpc", .ready = false, .reason = "draining"}};
  const std::string reply = Ask("GET", "/readyz?verbose");
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(reply, EndsWith("\r\n\r\n[-] grpc: draining\nnot ready\n"));
  EXPECT_THAT(Ask("GET", "/livez"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(AdminHttpTest, NoFileIsServed) {
  for (const char* target :
       {"/", "/etc/passwd", "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/proc/self/maps"}) {
    const std::string reply = Ask("GET", target);
    EXPECT_THAT(reply, StartsWith("HTTP/1.1 404 Not Found\r\n")) << target;
    EXPECT_THAT(reply, Not(HasSubstr("root:")));
  }
}

TEST_F(AdminHttpTest, WritingIsNotAllowed) {
  EXPECT_THAT(Ask("POST", "/metrics"), StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_THAT(Ask("PUT", "/metrics"), HasSubstr("\r\nAllow: GET, HEAD\r\n"));
  EXPECT_THAT(Ask("DELETE", "/livez"), StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
  EXPECT_THAT(Ask("OPTIONS", "/livez"), StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
}

TEST_F(AdminHttpTest, GarbageEndsTheConnectionAndNothingElse) {
  Exchange(server_->port(), "\x16\x03\x01\x02 not HTTP\r\n\r\n");
  Exchange(server_->port(), absl::StrCat("GET /", std::string(20'000, 'x'), " HTTP/1.1\r\n\r\n"));
  Exchange(server_->port(), absl::string_view("GET /livez\0x HTTP/1.1\r\n\r\n", 26));
  Exchange(server_->port(), "GET /metrics HTTP/9.9\r\n\r\n");
  EXPECT_THAT(Ask("GET", "/livez"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(AdminHttpTest, AConnectionThatSaysNothingIsClosed) {
  const int fd = Connect(server_->port());
  EXPECT_THAT(ReadToEnd(fd), Not(HasSubstr("200")));  // ends by the request's timeout
  close(fd);
}

TEST_F(AdminHttpTest, SlowConnectionsDoNotFailAProbe) {
  std::vector<int> silent;
  silent.reserve(4);
  for (int i = 0; i < 4; ++i) silent.push_back(Connect(server_->port()));
  EXPECT_THAT(Ask("GET", "/livez"), StartsWith("HTTP/1.1 200 OK\r\n"));
  for (const int fd : silent) close(fd);
}

TEST_F(AdminHttpTest, ManyAskAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this] {
      for (int n = 0; n < 20; ++n) EXPECT_THAT(Ask("GET", "/metrics"), StartsWith("HTTP/1.1 200 OK\r\n"));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(AdminHttpTest, APortInUseIsAPreciseError) {
  const auto second = Start({.address = server_->address()});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(second.status().message(), HasSubstr(server_->address()));
  EXPECT_THAT(second.status().message(), HasSubstr("Address already in use"));
  EXPECT_THAT(Ask("GET", "/livez"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(AdminHttpTest, AnAddressThatIsNotOursIsAPreciseError) {
  const auto server = Start({.address = "192.0.2.1:0"});
  EXPECT_EQ(server.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(server.status().message(), HasSubstr("Cannot assign requested address"));
}

TEST_F(AdminHttpTest, StoppingTakesNoTime) {
  const absl::Time start = absl::Now();
  server_.reset();
  EXPECT_LT(absl::Now() - start, absl::Seconds(1));  // civetweb by itself: two
}

TEST_F(AdminHttpTest, BadAddressesAreRefusedBeforeListening) {
  for (const char* address : {"", "9090", "127.0.0.1", "127.0.0.1:", ":9090", "127.0.0.1:65536", "127.0.0.1:-1",
                              "127.0.0.1:80s", "127.0.0.1:80,8080", "+9090:1", "[::1]:9090", "a b:1", "x\n:1"}) {
    const auto server = Start({.address = address});
    EXPECT_EQ(server.status().code(), absl::StatusCode::kInvalidArgument) << address;
    EXPECT_THAT(server.status().message(), HasSubstr("expected host:port")) << address;
  }
}

TEST_F(AdminHttpTest, AHostWithoutAnAddressIsAPreciseError) {
  for (const char* host : {"999.1.1.1", "host.invalid"}) {
    const auto server = Start({.address = absl::StrCat(host, ":0")});
    EXPECT_EQ(server.status().code(), absl::StatusCode::kUnavailable) << host;
    EXPECT_THAT(server.status().message(), HasSubstr(absl::StrCat("host ", host, ": ")));
  }
}

TEST_F(AdminHttpTest, ANameIsAHostToo) {
  const auto server = Start({.address = "localhost:0"});
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_THAT(Exchange((*server)->port(), "GET /livez HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
}

}  // namespace
}  // namespace credcache
