// Every limit that is not configured, in one place.
#pragma once

#include <cstddef>

#include "absl/time/time.h"

namespace credcache {

// Names and passwords (design, section 4). Sizes are in bytes.
inline constexpr size_t kMaxUsernameSize = 256;
inline constexpr size_t kMaxRealmSize = 256;
inline constexpr size_t kMaxPasswordSize = 1024;

// Requests.
inline constexpr size_t kMaxBatchElements = 4096;
inline constexpr size_t kMaxRequestIdSize = 128;
inline constexpr size_t kMaxReasonSize = 256;
inline constexpr size_t kMaxStreamUnanswered = 1024;
inline constexpr absl::Duration kDefaultStreamTimeout = absl::Seconds(10);
inline constexpr absl::Duration kMaxStreamWriteStall = absl::Seconds(30);
// A batch of 4,096 log-ons with the largest names and passwords is 6.5 MB.
inline constexpr size_t kMaxMessageSize = size_t{8} << 20;

// The gRPC server: calls of one connection above those that may be under way, to be refused; memory for its buffers;
// how long a connection past its age may go on, beyond that age once more, for the calls on it; pings.
inline constexpr int kSpareStreams = 1000;
inline constexpr size_t kMaxGrpcMemory = size_t{1} << 30;
inline constexpr absl::Duration kConnectionGrace = absl::Seconds(30);
inline constexpr absl::Duration kKeepaliveTime = absl::Minutes(1);
inline constexpr absl::Duration kKeepaliveTimeout = absl::Seconds(20);
inline constexpr absl::Duration kMinPingInterval = absl::Seconds(5);

// A flight may outlive its caller by so much, whatever the backend does; then it is given up as UNAVAILABLE.
inline constexpr absl::Duration kMaxFlightDuration = absl::Minutes(1);

// Requests waiting for a backend's workers; more are RESOURCE_EXHAUSTED. Four of the largest batches.
inline constexpr size_t kMaxBackendQueue = 4 * kMaxBatchElements;

// Identities as directories give them; what is more is an error of the backend, not cut off.
inline constexpr size_t kMaxSubjectSize = 1024;
inline constexpr size_t kMaxGroups = 4096;
inline constexpr size_t kMaxAttributes = 64;
inline constexpr size_t kMaxIdentitySize = size_t{256} << 10;

// The cache.
inline constexpr int kMaxDigestsPerAccount = 8;

}  // namespace credcache
