#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "backends/fake_plugin.h"
#include "backends/recording_listener.h"
#include "backends/recording_reporter.h"
#include "backends/remote_backend.h"

namespace credcache {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace v1 = validator::v1;

v1::WatchResponse Names(const std::vector<std::string>& names) {
  v1::WatchResponse response;
  for (const std::string& name : names) response.add_usernames(name);
  return response;
}
v1::WatchResponse Everything() {
  v1::WatchResponse response;
  response.set_everything(true);
  return response;
}

class RemoteFeedTest : public ::testing::Test {
 protected:
  RemoteFeedTest() {
    plugin_.on_watch = [this](grpc::ServerContext* context, FakePlugin::WatchWriter* writer) {
      ++streams_;
      return Stream(context, writer);
    };
  }
  ~RemoteFeedTest() override { backend_ = nullptr; }

  void Start(absl::Duration timeout = absl::Seconds(20)) {
    plugin_.Start();
    Build(timeout);
  }
  void Build(absl::Duration timeout = absl::Seconds(20)) {
    backend_ = std::make_unique<RemoteBackend>(
        RemoteBackendOptions{.address = plugin_.address(), .realm = "corp.example", .timeout = timeout}, clock_,
        randomness_, reporter_, listener_);
  }

  // Sends the first message, then what the test says, until the test ends the stream or the client goes.
  grpc::Status Stream(grpc::ServerContext* context, FakePlugin::WatchWriter* writer) {
    writer->Write(hello_);
    while (!context->IsCancelled()) {
      v1::WatchResponse next;
      {
        const absl::MutexLock lock(&mutex_);
        const auto any = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return end_stream_ || !said_.empty(); };
        if (!mutex_.AwaitWithTimeout(absl::Condition(&any), absl::Milliseconds(20))) continue;
        if (std::exchange(end_stream_, false)) return grpc::Status::OK;
        next = said_.front();
        said_.erase(said_.begin());
      }
      writer->Write(next);
    }
    return grpc::Status::CANCELLED;
  }
  void Say(const v1::WatchResponse& response) {
    const absl::MutexLock lock(&mutex_);
    said_.push_back(response);
  }
  void EndStream() {
    const absl::MutexLock lock(&mutex_);
    end_stream_ = true;
  }

  SystemClock clock_;
  SystemRandomness randomness_;
  RecordingReporter reporter_;
  std::shared_ptr<RecordingListener> listener_ = std::make_shared<RecordingListener>();
  std::atomic<int> streams_ = 0;
  v1::WatchResponse hello_;
  absl::Mutex mutex_;
  std::vector<v1::WatchResponse> said_ ABSL_GUARDED_BY(mutex_);
  bool end_stream_ ABSL_GUARDED_BY(mutex_) = false;
  FakePlugin plugin_;
  std::unique_ptr<RemoteBackend> backend_;
};

TEST_F(RemoteFeedTest, IsUpOnceThePlugInSaysSoAndAllIsForgotten) {
  Build();
  EXPECT_TRUE(listener_->WaitForFeed("down: the plug-in has not been heard from yet"));
  plugin_.Start();
  ASSERT_TRUE(listener_->WaitForFeed("up"));
  EXPECT_THAT(listener_->Wait(1), ElementsAre("everything"));
}

TEST_F(RemoteFeedTest, HandsOnWhatThePlugInSays) {
  Start();
  ASSERT_TRUE(listener_->WaitForFeed("up"));
  listener_->Wait(1);
  Say(Names({"Alice", "bob"}));
  EXPECT_THAT(listener_->Wait(2), ElementsAre("alice", "bob"));
  Say({});
  Say(Names({"carol"}));
  EXPECT_THAT(listener_->Wait(1), ElementsAre("carol"));
  Say(Everything());
  EXPECT_THAT(listener_->Wait(1), ElementsAre("everything"));
}

TEST_F(RemoteFeedTest, AStreamThatEndsIsOpenedAnewAndAllIsForgotten) {
  Start();
  ASSERT_TRUE(listener_->WaitForFeed("up"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(listener_->Wait(1), ElementsAre("everything"));
    EndStream();
  }
  listener_->Wait(1);
  ASSERT_TRUE(listener_->WaitForFeed("up"));
  EXPECT_GE(streams_, 4);
  EXPECT_THAT(reporter_.Take(), Contains(HasSubstr("the plug-in ended Watch")));
}

TEST_F(RemoteFeedTest, APlugInThatDiesIsFoundAgain) {
  Start();
  ASSERT_TRUE(listener_->WaitForFeed("up"));
  listener_->Wait(1);
  plugin_.Stop();
  ASSERT_TRUE(listener_->WaitForFeed("down: Watch: "));
  plugin_.Start();
  ASSERT_TRUE(listener_->WaitForFeed("up"));
  EXPECT_THAT(listener_->Wait(1), ElementsAre("everything"));
}

TEST_F(RemoteFeedTest, APlugInThatDoesNotBeginHasNoFeed) {
  plugin_.on_watch = [this](grpc::ServerContext* context, FakePlugin::WatchWriter* writer) {
    if (++streams_ > 1) return Stream(context, writer);
    while (!context->IsCancelled()) {
      const absl::MutexLock lock(&mutex_);
      mutex_.AwaitWithTimeout(absl::Condition(&end_stream_), absl::Milliseconds(20));
    }
    return grpc::Status::CANCELLED;
  };
  Start(absl::Milliseconds(200));
  EXPECT_TRUE(listener_->WaitForFeed("down: Watch did not begin within 200ms"));
  ASSERT_TRUE(listener_->WaitForFeed("up"));
}

TEST_F(RemoteFeedTest, APlugInThatFallsSilentIsNoticedByItsHeartbeat) {
  hello_.mutable_heartbeat()->set_nanos(100'000'000);
  Start();
  ASSERT_TRUE(listener_->WaitForFeed("up"));
  EXPECT_TRUE(listener_->WaitForFeed("down: Watch was silent for 200ms"));
  ASSERT_TRUE(listener_->WaitForFeed("up"));
}

TEST_F(RemoteFeedTest, APlugInWithoutWatchIsNamed) {
  plugin_.on_watch = nullptr;
  Start();
  EXPECT_TRUE(listener_->WaitForFeed("down: Watch: UNIMPLEMENTED"));
  backend_ = nullptr;
  EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr("it has no Watch, which `feed: true` relies on")));
}

TEST_F(RemoteFeedTest, ANameThatIsNoneForgetsEverybody) {
  Start();
  ASSERT_TRUE(listener_->WaitForFeed("up"));
  listener_->Wait(1);
  Say(Names({"a\nb"}));
  EXPECT_THAT(listener_->Wait(1), ElementsAre("everything"));
  Say(Names({"a\xff"}));
  EXPECT_THAT(listener_->Wait(1), ElementsAre("everything"));
  Say(Names({"alice"}));
  EXPECT_THAT(listener_->Wait(1), ElementsAre("alice"));
  EXPECT_EQ(streams_, 1);
  EXPECT_THAT(reporter_.Take(), Contains(HasSubstr("a message of Watch has a username that is none")));
}

TEST_F(RemoteFeedTest, AMessageThatIsTooLargeEndsTheStream) {
  Start();
  ASSERT_TRUE(listener_->WaitForFeed("up"));
  listener_->Wait(1);
  Say(Names({std::string(2 << 20, 'a')}));
  EXPECT_THAT(listener_->Wait(1), ElementsAre("everything"));
  ASSERT_TRUE(listener_->WaitForFeed("up"));
  EXPECT_EQ(streams_, 2);
  EXPECT_THAT(reporter_.Take(), Contains(HasSubstr("Watch: RESOURCE_EXHAUSTED")));
}

// Many messages as fast as they go, and one at the end.
TEST_F(RemoteFeedTest, AFloodIsForgettingOnceASecondAndNothingIsMissed) {
  plugin_.on_watch = [this](grpc::ServerContext* context, FakePlugin::WatchWriter* writer) {
    writer->Write(hello_);
    if (++streams_ > 1) return Stream(context, writer);
    const v1::WatchResponse message = Names({"alice"});
    for (int i = 0; i < 40'000 && !context->IsCancelled(); ++i) writer->Write(message);
    writer->Write(Names({"last"}));
    return Stream(context, writer);
  };
  const absl::Time began = absl::Now();
  Start();
  size_t everything = 0;
  size_t names = 0;
  bool last = false;
  while (!last) {
    for (const std::string& told : listener_->Wait(1)) {
      everything += told == "everything" ? 1 : 0;
      names += told == "alice" ? 1 : 0;
      last = last || told == "last";
    }
  }
  const double seconds = absl::ToDoubleSeconds(absl::Now() - began);
  EXPECT_EQ(streams_, 1);
  EXPECT_GE(everything, 2U);
  EXPECT_LE(static_cast<double>(everything), 2 + seconds);
  EXPECT_LE(static_cast<double>(names), static_cast<double>(kMaxRemoteNames) * (1 + seconds));
  EXPECT_THAT(reporter_.Take(), Contains(HasSubstr("more than 10000 changes a second")));
}

TEST_F(RemoteFeedTest, ItsEndWaitsForNobody) {
  Start();
  ASSERT_TRUE(listener_->WaitForFeed("up"));
  backend_ = nullptr;
  plugin_.Stop();
}

}  // namespace
}  // namespace credcache
