#include "rpc/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <future>

#include "rpc/rpc_fixture.h"

namespace credcache {
namespace {

using testing::HasSubstr;

std::string ToString(const grpc::ByteBuffer& bytes) {
  grpc::Slice slice;
  if (!bytes.DumpToSingleSlice(&slice).ok()) return "";
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

// A call of any method with bytes, one message either way at a time.
class RawCall {
 public:
  RawCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method) : stub_(channel) {
    RpcFixture::SetDeadline(context_);
    call_ = stub_.PrepareCall(&context_, method, &queue_);
    call_->StartCall(nullptr);
    Next();
  }
  ~RawCall() {
    context_.TryCancel();
    queue_.Shutdown();
    while (Next()) {
    }
  }
  void Write(const std::string& message) {
    const grpc::Slice slice(message);
    call_->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    Next();
  }
  std::optional<std::string> Read() {
    grpc::ByteBuffer bytes;
    call_->Read(&bytes, nullptr);
    return Next() ? std::optional(ToString(bytes)) : std::nullopt;
  }
  grpc::Status Finish() {
    grpc::Status status;
    call_->Finish(&status, nullptr);
    Next();
    return status;
  }

 private:
  bool Next() {
    void* tag = nullptr;
    bool ok = false;
    return queue_.Next(&tag, &ok) && ok;
  }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

// grpc.health.v1.HealthCheckRequest and -Response, on the wire.
std::string HealthOf(const std::string& service) {
  return service.empty() ? "" : std::string("\x0a") + static_cast<char>(service.size()) + service;
}
constexpr char kServing[] = "\x08\x01";
constexpr char kNotServing[] = "\x08\x02";

class ServerTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  RpcFixture f_;
};

TEST_F(ServerTest, PortZeroIsToldAsItCameOut) {
  f_.Start();
  EXPECT_NE(f_.server->address().port, 0);
  EXPECT_EQ(f_.server->address().host, "127.0.0.1");
}

TEST_F(ServerTest, APortInUseIsToldAsSuch) {
  f_.Start();
  ListenConfig taken{.grpc = f_.server->address()};
  const absl::Status status = Server::Start(taken, nullptr, f_.parts).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr(taken.grpc.ToString()));
  EXPECT_THAT(std::string(status.message()), HasSubstr("Address already in use"));
}

TEST_F(ServerTest, AnUnknownHostIsToldAsSuch) {
  const ListenConfig nowhere{.grpc = {.host = "host.invalid", .port = 0}};
  EXPECT_THAT(std::string(Server::Start(nowhere, nullptr, f_.parts).status().message()), HasSubstr("host.invalid"));
}

TEST_F(ServerTest, HealthIsToldForTheServerAndTheService) {
  f_.Start();
  for (const std::string service : {"", "credcache.v1.AuthService"}) {
    RawCall check(f_.channel, "/grpc.health.v1.Health/Check");
    check.Write(HealthOf(service));
    EXPECT_EQ(check.Read(), kServing) << service;
  }
  RawCall unknown(f_.channel, "/grpc.health.v1.Health/Check");
  unknown.Write(HealthOf("nonsense"));
  EXPECT_EQ(unknown.Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(ServerTest, WatchersOfHealthAreToldOfADrainAndDoNotHoldItUp) {
  f_.Start();
  RawCall watch(f_.channel, "/grpc.health.v1.Health/Watch");
  watch.Write(HealthOf("credcache.v1.AuthService"));
  EXPECT_EQ(watch.Read(), kServing);
  const absl::Time begin = absl::Now();
  auto drain = std::async(std::launch::async, [&] { f_.server->Drain(absl::Seconds(15)); });
  EXPECT_EQ(watch.Read(), kNotServing);
  drain.get();
  EXPECT_LT(absl::Now() - begin, absl::Seconds(8));
}

TEST_F(ServerTest, ReflectionListsTheService) {
  f_.Start();
  RawCall reflection(f_.channel, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
  reflection.Write(std::string("\x3a\x00", 2));  // list_services
  EXPECT_THAT(reflection.Read().value_or(""), HasSubstr("credcache.v1.AuthService"));
}

TEST_F(ServerTest, ADrainWaitsForCallsUnderWay) {
  f_.Start();
  f_.validator->Hold();
  auto call = std::async(std::launch::async, [&] { return f_.Authenticate(LogOnOf("alice", "s3cret")); });
  f_.validator->WaitForHeld(1);
  auto drain = std::async(std::launch::async, [&] { f_.server->Drain(absl::Seconds(15)); });
  EXPECT_EQ(drain.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  f_.validator->Release();
  EXPECT_TRUE(call.get().ok());
  drain.get();
}

TEST_F(ServerTest, ADrainCancelsWhatOutlastsItsGrace) {
  f_.Start();
  f_.validator->Hold();
  auto call = std::async(std::launch::async, [&] { return f_.Authenticate(LogOnOf("alice", "s3cret")); });
  f_.validator->WaitForHeld(1);
  f_.server->Drain(absl::Milliseconds(100));
  EXPECT_FALSE(call.get().ok());
  f_.server.reset();
  f_.validator->Release();  // the flight ends after the server
}

TEST_F(ServerTest, GarbageOnThePortHurtsNobody) {
  f_.Start();
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  std::string noise(4096, '\0');
  uint32_t state = 12345;
  for (char& c : noise) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  for (const std::string& bytes :
       {noise, preface + noise, std::string("GET / HTTP/1.1\r\n\r\n"),
        preface + std::string("\xff\xff\xff\x00\x00\x00\x00\x00\x00", 9), std::string("\x16\x03\x01")}) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(f_.server->address().port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    ASSERT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    char sink[256];
    while (recv(fd, sink, sizeof sink, 0) > 0) {
    }
    close(fd);
    EXPECT_TRUE(f_.Authenticate(LogOnOf("alice", "s3cret")).ok());
  }
}

TEST_F(ServerTest, AMessageAboveTheLimitIsRefused) {
  f_.Start();
  const grpc::Status status = f_.Authenticate(LogOnOf("alice", std::string(kMaxMessageSize, 'x')));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

// --- unix sockets

TEST_F(ServerTest, EachUnixSocketStandsForItsCaller) {
  f_.listen.unix_sockets = {{.path = folder_.File("imap.sock"), .mode = 0600, .caller = "imap"},
                            {.path = folder_.File("stats.sock"), .mode = 0640, .caller = "stats"}};
  f_.SetCallers({{{.name = "imap", .allow = {Permission::kAuthenticate}, .audiences = {"imap"}},
                  {.name = "stats", .allow = {Permission::kStats}, .audiences = {"stats"}}}});
  f_.Start();
  const auto tcp = f_.Authenticate(LogOnOf("alice", "s3cret"));
  EXPECT_EQ(tcp.error_code(), grpc::StatusCode::UNAUTHENTICATED);

  f_.stub = f_.Connect("unix:" + folder_.File("imap.sock"), grpc::InsecureChannelCredentials());
  EXPECT_TRUE(f_.Authenticate(LogOnOf("alice", "s3cret")).ok());
  f_.stub = f_.Connect("unix:" + folder_.File("stats.sock"), grpc::InsecureChannelCredentials());
  EXPECT_EQ(PartsOf(f_.Authenticate(LogOnOf("alice", "s3cret"))).reason, "METHOD_NOT_ALLOWED");
}

TEST_F(ServerTest, ASocketHasTheModeAskedForAndGoesWithTheServer) {
  const std::string path = folder_.File("s");
  f_.listen.unix_sockets = {{.path = path, .mode = 0620, .gid = getgid()}};
  f_.Start();
  struct stat status;
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 07777, 0620U);
  f_.server.reset();
  EXPECT_NE(stat(path.c_str(), &status), 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(ServerTest, PathsMayHoldAnyCharacter) {
  f_.listen.unix_sockets = {{.path = folder_.File("a b%41?#.sock")}};
  f_.Start();
  struct stat status;
  EXPECT_EQ(stat(folder_.File("a b%41?#.sock").c_str(), &status), 0);
}

TEST_F(ServerTest, AStaleSocketIsReplaced) {
  const std::string path = folder_.File("s");
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{.sun_family = AF_UNIX};
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(fd);
  f_.listen.unix_sockets = {{.path = path}};
  f_.Start();
  f_.stub = f_.Connect("unix:" + path, grpc::InsecureChannelCredentials());
  EXPECT_TRUE(f_.Authenticate(LogOnOf("alice", "s3cret")).ok());
}

TEST_F(ServerTest, ASocketThatIsServedIsNotTakenAway) {
  const std::string path = folder_.File("s");
  f_.listen.unix_sockets = {{.path = path}};
  f_.Start();
  const absl::Status status = Server::Start(f_.listen, nullptr, f_.parts).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("another process listens there"));
  f_.stub = f_.Connect("unix:" + path, grpc::InsecureChannelCredentials());
  EXPECT_TRUE(f_.Authenticate(LogOnOf("alice", "s3cret")).ok());
}

TEST_F(ServerTest, BadSocketPathsAreNamed) {
  const auto problem = [&](const std::string& path) {
    const ListenConfig listen{.grpc = {.host = "127.0.0.1", .port = 0}, .unix_sockets = {{.path = path}}};
    return std::string(Server::Start(listen, nullptr, f_.parts).status().message());
  };
  EXPECT_THAT(problem(folder_.Write("file", "precious")), HasSubstr("exists and is no socket"));
  EXPECT_TRUE(std::filesystem::exists(folder_.File("file")));
  EXPECT_THAT(problem(folder_.File("missing/s")), HasSubstr("missing/s"));
  EXPECT_THAT(problem(folder_.File(std::string(120, 'x'))), HasSubstr("too long"));
}

}  // namespace
}  // namespace credcache
