#include "rpc/result_writer.h"

#include <cstdint>

#include "google/protobuf/io/coded_stream.h"
#include "grpcpp/support/slice.h"

namespace credcache {
namespace {

using google::protobuf::io::CodedOutputStream;

constexpr uint8_t kTag = 1 << 3 | 2;  // field 1, of a length that follows

}  // namespace

ResultWriter::Span ResultWriter::Append(const google::protobuf::MessageLite& result) {
  const size_t size = result.ByteSizeLong();
  const Span span{.offset = bytes_.size(), .size = 1 + CodedOutputStream::VarintSize64(size) + size};
  bytes_.resize(span.offset + span.size);
  auto* to = reinterpret_cast<uint8_t*>(bytes_.data() + span.offset);
  *to++ = kTag;
  to = CodedOutputStream::WriteVarint64ToArray(size, to);
  result.SerializeWithCachedSizesToArray(to);
  return span;
}

grpc::ByteBuffer ResultWriter::Take() {
  auto* bytes = new std::string(std::move(bytes_));
  bytes_.clear();
  const grpc::Slice slice(
      bytes->data(), bytes->size(), [](void* owner) { delete static_cast<std::string*>(owner); }, bytes);
  return {&slice, 1};
}

}  // namespace credcache
