// Log-ons as bytes on the wire. All of a run's requests are of one length and differ in a few digits, so they are made
// from one that protobuf has written, by copying it and setting the digits: the client weighs as little as it can.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "grpcpp/support/byte_buffer.h"
#include "load/workload.h"

namespace credcache::load {

// A log-on of a stream, with its number.
struct NumberedLogOn {
  uint64_t id = 0;
  LogOn log_on;
};

// Thread-safe: no state that changes.
class RequestWriter {
 public:
  // Log-ons at `realm`, from the protocol and address that one front end would name.
  explicit RequestWriter(absl::string_view realm);

  // An AuthenticateRequest, a BatchAuthenticateRequest and an AuthenticateStreamRequest.
  grpc::ByteBuffer Unary(const LogOn& log_on) const;
  grpc::ByteBuffer Batch(absl::Span<const LogOn> log_ons) const;
  grpc::ByteBuffer Stream(absl::Span<const NumberedLogOn> log_ons) const;

  // An InvalidateRequest.
  grpc::ByteBuffer Invalidate(uint32_t user) const;

 private:
  uint8_t* Write(const LogOn& log_on, uint8_t* to) const;

  const std::string realm_;
  std::string request_;  // of user 0
  size_t username_ = 0;  // where in it the digits begin
  size_t password_ = 0;  // where in it the password begins
};

}  // namespace credcache::load
