#include "peers/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "peers/report.h"

namespace credcache::peers {
namespace {

// What all lanes of a test share: which users were asked for, and from when on the peer misbehaves.
struct Peer {
  absl::Mutex mutex;
  std::multiset<std::string> users ABSL_GUARDED_BY(mutex);
  int64_t rejects_from = INT64_MAX;
  int64_t dies_at = INT64_MAX;
  bool listens = true;
  std::atomic<int64_t> answers = 0;
  std::atomic<uint32_t> most_open = 0;
};

// Answers at once, the oldest question first.
class FakeLane final : public Lane {
 public:
  FakeLane(Peer& peer, uint32_t depth) : peer_(peer), depth_(depth) {}

  absl::Status Open() override { return peer_.listens ? absl::OkStatus() : absl::UnavailableError("nobody listens"); }

  void Ask(uint32_t id, const workload::Credentials& credentials) override {
    asked_.push_back(id);
    if (asked_.size() > peer_.most_open) peer_.most_open = static_cast<uint32_t>(asked_.size());
    absl::MutexLock lock(&peer_.mutex);
    peer_.users.insert(std::string(credentials.username()));
  }

  absl::Status Wait(std::vector<Answer>* answers) override {
    const int64_t number = peer_.answers++;
    if (number >= peer_.dies_at) return absl::UnavailableError("it went away");
    answers->push_back({asked_.front(), number < peer_.rejects_from});
    asked_.pop_front();
    return absl::OkStatus();
  }

  uint32_t depth() const override { return depth_; }

 private:
  Peer& peer_;
  const uint32_t depth_;
  std::deque<uint32_t> asked_;
};

// A peer that misbehaves ends the load; nobody waits for so long.
constexpr absl::Duration kUntilItFails = absl::Seconds(60);

LoadResult Drive(Peer& peer, LoadOptions options, uint32_t depth = 1) {
  options.warm_up = absl::ZeroDuration();
  return RunLoad(options, [&peer, depth](uint32_t) { return std::make_unique<FakeLane>(peer, depth); });
}

TEST(LoadTest, CountsWhatIsAnswered) {
  Peer peer;
  const LoadResult result = Drive(peer, {.lanes = 2, .users = 10, .duration = absl::Milliseconds(100)}, 4);
  EXPECT_TRUE(result.error.ok());
  EXPECT_GT(result.requests, 0u);
  EXPECT_EQ(result.accepted, result.requests);
  EXPECT_EQ(result.latency.count(), result.requests);
  EXPECT_NEAR(result.seconds, 0.1, 1e-6);
  EXPECT_EQ(peer.most_open, 4u);
}

TEST(LoadTest, PrimingAsksForEachUserFirst) {
  Peer peer;
  peer.dies_at = 25;
  Drive(peer, {.users = 25, .duration = kUntilItFails, .prime = true});
  absl::MutexLock lock(&peer.mutex);
  for (uint32_t user = 0; user < 25; ++user) {
    EXPECT_GE(peer.users.count(std::string(workload::Credentials(user).username())), 1u) << user;
  }
}

TEST(LoadTest, NoServerIsAnErrorWithoutFigures) {
  Peer peer;
  peer.listens = false;
  const LoadResult result = Drive(peer, {.duration = kUntilItFails});
  EXPECT_TRUE(absl::IsUnavailable(result.error));
  EXPECT_EQ(result.requests, 0u);
  EXPECT_EQ(ExitCode(result.error), 4);
}

TEST(LoadTest, ARejectedUserIsAnError) {
  for (const int64_t from : {0, 50}) {
    Peer peer;
    peer.rejects_from = from;
    const LoadResult result = Drive(peer, {.duration = kUntilItFails});
    EXPECT_TRUE(absl::IsPermissionDenied(result.error)) << result.error;
    EXPECT_EQ(ExitCode(result.error), 1);
  }
}

TEST(LoadTest, AServerThatDiesLeavesPartialFigures) {
  Peer peer;
  peer.dies_at = 50;
  peers::Run run{.kind = "fake", .target = "nowhere", .result = Drive(peer, {.duration = kUntilItFails})};
  EXPECT_TRUE(absl::IsUnavailable(run.result.error));
  EXPECT_GT(run.result.requests, 0u);
  const auto document = nlohmann::json::parse(Json(run));
  EXPECT_EQ(document["partial"], true);
  EXPECT_EQ(document["error"], "it went away");
  EXPECT_EQ(document["errors"], 1);
}

TEST(LoadTest, AWholeRunIsNotPartial) {
  Peer peer;
  peers::Run run{.kind = "fake", .target = "nowhere", .result = Drive(peer, {.duration = absl::Milliseconds(20)})};
  const auto document = nlohmann::json::parse(Json(run));
  EXPECT_EQ(document["partial"], false);
  EXPECT_TRUE(document["error"].is_null());
  EXPECT_EQ(document["unexpected"], 0);
  uint64_t counted = 0;
  for (const auto& bucket : document["histogram_us"]) counted += bucket[1].get<uint64_t>();
  EXPECT_EQ(counted, document["requests"]);
}

TEST(LoadTest, WhatAServerSaysMayBeNoUtf8) {
  peers::Run run{.kind = "fake", .target = "nowhere"};
  run.result.error = absl::InternalError("\xff\xfe");
  EXPECT_TRUE(nlohmann::json::parse(Json(run))["error"].is_string());
}

}  // namespace
}  // namespace credcache::peers
