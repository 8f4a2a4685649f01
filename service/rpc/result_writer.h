// Results of log-ons as bytes, as they come: the elements of a batch's response or of a stream's message, both
// `repeated ... results = 1`. An encoded message of nothing but a repeated field is its encoded elements one after the
// other (protobuf's encoding), so that no message of all results is built, sized and walked again.
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "google/protobuf/message_lite.h"
#include "grpcpp/support/byte_buffer.h"

namespace credcache {

class ResultWriter {
 public:
  // Where an element's bytes stand; empty: nowhere yet.
  struct Span {
    size_t offset = 0;
    size_t size = 0;
  };

  // Memory for so many results of the usual size.
  void Reserve(size_t results) { bytes_.reserve(results * kUsualSize); }

  Span Append(const google::protobuf::MessageLite& result);
  // Elements that are encoded already.
  void Append(absl::string_view encoded) { bytes_.append(encoded.data(), encoded.size()); }

  size_t size() const { return bytes_.size(); }
  absl::string_view bytes() const { return bytes_; }
  absl::string_view At(Span span) const { return bytes().substr(span.offset, span.size); }

  // The message, without a copy. Leaves nothing.
  grpc::ByteBuffer Take();

 private:
  static constexpr size_t kUsualSize = 192;
  std::string bytes_;
};

}  // namespace credcache
