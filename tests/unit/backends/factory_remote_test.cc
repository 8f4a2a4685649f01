#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "backends/ask.h"
#include "backends/factory.h"
#include "backends/recording_listener.h"
#include "backends/recording_reporter.h"

namespace credcache {
namespace {

using ::testing::HasSubstr;

// A program of its own, since it speaks gRPC.
TEST(FactoryRemoteTest, BuildsWhatTheConfigurationNames) {
  SystemClock clock;
  SystemRandomness randomness;
  RecordingReporter reporter;
  const auto listener = std::make_shared<RecordingListener>();
  const ValidatorConfig remote = {.backend = RemoteConfig{.address = "unix:/nowhere/plugin.sock", .feed = true}};
  EXPECT_EQ(BackendKind(remote), "remote");
  const std::unique_ptr<Validator> backend =
      BuildBackend(remote, {.name = "corp.example"}, {clock, randomness, reporter, listener});
  const Username alice = *Username::Normalize("alice", CaseRule::kFold);
  const auto result = AskAndWait(*backend, {.username = alice, .password = SecretView("s3cret")});
  EXPECT_THAT(result.status().ToString(), HasSubstr("UNAVAILABLE: unix:/nowhere/plugin.sock"));
  EXPECT_TRUE(listener->WaitForFeed("down"));
}

}  // namespace
}  // namespace credcache
