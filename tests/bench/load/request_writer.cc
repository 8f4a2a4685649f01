#include "load/request_writer.h"

#include <google/protobuf/io/coded_stream.h>

#include <cstring>

#include "credcache/v1/authenticate.pb.h"
#include "credcache/v1/invalidate.pb.h"
#include "grpcpp/support/slice.h"

namespace credcache::load {
namespace {

using google::protobuf::io::CodedOutputStream;

// Field 1 of a batch's and of a stream's message: its elements. Of an element of a stream: 1 the number, 2 the log-on.
constexpr uint8_t kElementTag = 1 << 3 | 2;
constexpr uint8_t kIdTag = 1 << 3 | 0;
constexpr uint8_t kRequestTag = 2 << 3 | 2;

size_t VarintSize(uint64_t value) { return CodedOutputStream::VarintSize64(value); }

uint8_t* WriteField(uint8_t tag, uint64_t value, uint8_t* to) {
  *to++ = tag;
  return CodedOutputStream::WriteVarint64ToArray(value, to);
}

// Nobody has seen the slice yet.
uint8_t* Begin(const grpc::Slice& slice) { return const_cast<uint8_t*>(slice.begin()); }

}  // namespace

RequestWriter::RequestWriter(absl::string_view realm) : realm_(realm) {
  const workload::Credentials credentials(0);
  v1::AuthenticateRequest request;
  request.mutable_password()->set_realm(realm_);
  request.mutable_password()->set_username(std::string(credentials.username()));
  request.mutable_password()->set_password(std::string(credentials.password()));
  request.mutable_context()->set_protocol("imap");
  request.mutable_context()->set_client_address("192.0.2.17");
  request_ = request.SerializeAsString();
  // From behind: a realm may look like a name.
  password_ = request_.rfind(request.password().password());
  username_ = request_.rfind(request.password().username()) + credentials.username().find('0');
}

uint8_t* RequestWriter::Write(const LogOn& log_on, uint8_t* to) const {
  static constexpr size_t kPrefix = 7;
  std::memcpy(to, request_.data(), request_.size());
  workload::WriteDigits(log_on.user, reinterpret_cast<char*>(to + username_));
  if (log_on.kind == Kind::kWrong) std::memcpy(to + password_, "wrong!-", kPrefix);
  workload::WriteDigits(log_on.user, reinterpret_cast<char*>(to + password_ + kPrefix));
  return to + request_.size();
}

grpc::ByteBuffer RequestWriter::Unary(const LogOn& log_on) const {
  const grpc::Slice slice(request_.size());
  Write(log_on, Begin(slice));
  return {&slice, 1};
}

grpc::ByteBuffer RequestWriter::Batch(absl::Span<const LogOn> log_ons) const {
  const grpc::Slice slice(log_ons.size() * (1 + VarintSize(request_.size()) + request_.size()));
  uint8_t* to = Begin(slice);
  for (const LogOn& log_on : log_ons) to = Write(log_on, WriteField(kElementTag, request_.size(), to));
  return {&slice, 1};
}

grpc::ByteBuffer RequestWriter::Stream(absl::Span<const NumberedLogOn> log_ons) const {
  const size_t request_field = 1 + VarintSize(request_.size()) + request_.size();
  const auto element_size = [request_field](uint64_t id) { return 1 + VarintSize(id) + request_field; };
  size_t size = 0;
  for (const NumberedLogOn& numbered : log_ons) {
    const size_t element = element_size(numbered.id);
    size += 1 + VarintSize(element) + element;
  }
  const grpc::Slice slice(size);
  uint8_t* to = Begin(slice);
  for (const NumberedLogOn& numbered : log_ons) {
    to = WriteField(kElementTag, element_size(numbered.id), to);
    to = WriteField(kIdTag, numbered.id, to);
    to = Write(numbered.log_on, WriteField(kRequestTag, request_.size(), to));
  }
  return {&slice, 1};
}

grpc::ByteBuffer RequestWriter::Invalidate(uint32_t user) const {
  v1::InvalidateRequest request;
  request.mutable_user()->set_realm(realm_);
  request.mutable_user()->set_username(std::string(workload::Credentials(user).username()));
  request.set_reason("credcache-load");
  const std::string bytes = request.SerializeAsString();
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

}  // namespace credcache::load
