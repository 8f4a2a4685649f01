#include "rpc/codec.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/secret.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/unknown_field_set.h"
#include "grpcpp/support/slice.h"
#include "rpc/status.h"

namespace credcache {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

// The slices of a received message are pieces of the read buffer that belong to this message alone; gRPC's interface
// is const because slices can be shared, which received ones are not, nor those that were just made.
uint8_t* Begin(const grpc::Slice& slice) {
  return const_cast<uint8_t*>(slice.begin());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

void Wipe(const grpc::Slice& slice) {
  if (slice.size() > 0) WipeMemory(Begin(slice), slice.size());
}

// The parser copies the end of its input to the stack. Overwrites that much of the stack below the caller.
[[gnu::noinline]] void ScrubStack() {
  char stack[1024];
  WipeMemory(stack, sizeof stack);
}

// The path of the first string that is not UTF-8, empty if there is none. `fields` is a message of `type`, parsed
// without knowing it.
std::string FindBadUtf8(const Descriptor& type, const UnknownFieldSet& fields) {
  std::vector<int> counts(static_cast<size_t>(type.field_count()));
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& unknown = fields.field(i);
    const FieldDescriptor* field = type.FindFieldByNumber(unknown.number());
    if (field == nullptr || unknown.type() != UnknownField::TYPE_LENGTH_DELIMITED) continue;
    const std::string& bytes = unknown.length_delimited();
    std::string path = field->name();
    if (field->is_repeated()) absl::StrAppend(&path, "[", counts[static_cast<size_t>(field->index())]++, "]");

    if (field->type() == FieldDescriptor::TYPE_STRING) {
      if (!google::protobuf::internal::IsStructurallyValidUTF8(bytes.data(), static_cast<int>(bytes.size()))) {
        return path;
      }
    } else if (field->type() == FieldDescriptor::TYPE_MESSAGE) {
      UnknownFieldSet inner_fields;
      if (!inner_fields.ParseFromString(bytes)) continue;
      const std::string inner = FindBadUtf8(*field->message_type(), inner_fields);
      if (!inner.empty()) return absl::StrCat(path, ".", inner);
    }
  }
  return "";
}

absl::Status ParseError(const grpc::Slice& slice, const Descriptor& type) {
  UnknownFieldSet fields;
  if (fields.ParseFromArray(slice.begin(), static_cast<int>(slice.size()))) {
    const std::string path = FindBadUtf8(type, fields);
    if (!path.empty()) return MakeFieldError(path, "is not valid UTF-8");
  }
  return MakeError(ErrorReason::kInvalidMessage, absl::StrCat("not a message of type ", type.full_name()));
}

}  // namespace

absl::Status ParseAndWipe(const grpc::ByteBuffer& bytes, google::protobuf::Message* message) {
  grpc::Slice slice;
  const bool single = bytes.TrySingleSlice(&slice).ok();
  if (!single && !bytes.DumpToSingleSlice(&slice).ok()) {
    return MakeError(ErrorReason::kInvalidMessage, "the message cannot be read");
  }
  const bool parsed = message->ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
  ScrubStack();
  absl::Status status;
  if (!parsed) status = ParseError(slice, *message->GetDescriptor());
  Wipe(slice);
  if (!single) {
    std::vector<grpc::Slice> pieces;
    if (bytes.Dump(&pieces).ok()) {
      for (const grpc::Slice& piece : pieces) Wipe(piece);
    }
  }
  return status;
}

grpc::ByteBuffer Serialize(const google::protobuf::MessageLite& message) {
  grpc::Slice slice(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(Begin(slice));
  return {&slice, 1};
}

}  // namespace credcache
