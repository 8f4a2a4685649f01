#include "metrics/backend_metrics.h"

#include <gtest/gtest.h>

namespace credcache {
namespace {

void Ask(BackendMetrics& backend, BackendResult result, absl::Duration duration) {
  backend.Begin();
  backend.End(result, duration);
}

TEST(BackendMetricsTest, ABackendThatWasNeverAskedIsUp) {
  const BackendReading reading = BackendMetrics().Read();
  EXPECT_TRUE(reading.up);
  EXPECT_EQ(reading.requests, 0u);
  EXPECT_EQ(reading.latency_median, absl::ZeroDuration());
}

TEST(BackendMetricsTest, TheLastRequestSaysWhetherItIsUp) {
  BackendMetrics backend;
  Ask(backend, BackendResult::kError, absl::Seconds(3));
  EXPECT_FALSE(backend.Read().up);
  Ask(backend, BackendResult::kRejected, absl::Milliseconds(1));
  EXPECT_TRUE(backend.Read().up);
}

TEST(BackendMetricsTest, AnOverloadIsAnErrorButSaysNothingOfTheBackend) {
  BackendMetrics backend;
  Ask(backend, BackendResult::kOverload, absl::ZeroDuration());
  BackendReading reading = backend.Read();
  EXPECT_TRUE(reading.up);
  EXPECT_EQ(reading.requests, 1u);
  EXPECT_EQ(reading.errors, 1u);
  EXPECT_EQ(backend.Durations().Total(), 0u);
  Ask(backend, BackendResult::kError, absl::Seconds(1));
  Ask(backend, BackendResult::kOverload, absl::ZeroDuration());
  EXPECT_FALSE(backend.Read().up);
}

TEST(BackendMetricsTest, InFlightIsWhatBeganAndDidNotEnd) {
  BackendMetrics backend;
  backend.Begin();
  backend.Begin();
  EXPECT_EQ(backend.Read().in_flight, 2u);
  backend.End(BackendResult::kAccepted, absl::Milliseconds(1));
  EXPECT_EQ(backend.Read().in_flight, 1u);
}

TEST(BackendMetricsTest, MedianAndTailAreOfTheLastRequests) {
  BackendMetrics backend;
  for (int i = 0; i < 1000; ++i) Ask(backend, BackendResult::kAccepted, absl::Seconds(9));
  for (size_t i = 1; i <= BackendMetrics::kRecent; ++i) {
    Ask(backend, BackendResult::kAccepted, absl::Microseconds(static_cast<int64_t>(i)));
  }
  const BackendReading reading = backend.Read();
  EXPECT_EQ(reading.latency_median, absl::Microseconds(256));
  EXPECT_EQ(reading.latency_p99, absl::Microseconds(507));
  EXPECT_EQ(reading.requests, 1512u);
}

TEST(BackendMetricsTest, OneRequestIsItsOwnMedianAndTail) {
  BackendMetrics backend;
  Ask(backend, BackendResult::kAccepted, absl::Milliseconds(5));
  EXPECT_EQ(backend.Read().latency_median, absl::Milliseconds(5));
  EXPECT_EQ(backend.Read().latency_p99, absl::Milliseconds(5));
}

}  // namespace
}  // namespace credcache
