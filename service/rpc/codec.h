// Messages from and to the bytes that gRPC hands over (ADR 0003).
//
// Thread-safe: no state.
#pragma once

#include "absl/status/status.h"
#include "google/protobuf/message.h"
#include "grpcpp/support/byte_buffer.h"

namespace credcache {

// Fills `message`, which is empty. kInvalidMessage (status.h), with the field's path where a string is not UTF-8.
// Leaves nothing of the bytes behind: they are overwritten where they stand, since they may hold passwords; the message
// itself is the caller's to wipe (convert.h).
absl::Status ParseAndWipe(const grpc::ByteBuffer& bytes, google::protobuf::Message* message);

// In one piece.
grpc::ByteBuffer Serialize(const google::protobuf::MessageLite& message);

}  // namespace credcache
