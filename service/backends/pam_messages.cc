#include "backends/pam_messages.h"

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace credcache {
namespace {

// Number, phase, code, the user's size, whether there is a uid, the uid, how many groups.
constexpr size_t kAnswerWithoutTexts = 4 + 1 + 4 + 2 + 1 + 4 + 2;

// Appends; what is larger than its field is the caller's mistake.
class Writer {
 public:
  explicit Writer(size_t expected) {
    bytes_.reserve(kPamFrameHeader + expected);
    bytes_.resize(kPamFrameHeader);
  }

  void Number(uint64_t value, int size) {
    for (int byte = size - 1; byte >= 0; --byte) bytes_ += static_cast<char>(value >> (8 * byte) & 0xff);
  }
  void Text(absl::string_view text) {
    Number(text.size(), 2);
    Bytes(text);
  }
  void Bytes(absl::string_view bytes) { bytes_.append(bytes.data(), bytes.size()); }

  // The frame.
  std::string& Finish() {
    const size_t size = bytes_.size() - kPamFrameHeader;
    for (size_t i = 0; i < kPamFrameHeader; ++i) {
      bytes_[i] = static_cast<char>(size >> (8 * (kPamFrameHeader - 1 - i)) & 0xff);
    }
    return bytes_;
  }

 private:
  std::string bytes_;
};

// After the first thing that is not there nothing is.
class Reader {
 public:
  explicit Reader(absl::string_view bytes) : left_(bytes) {}

  uint64_t Number(size_t size) {
    uint64_t value = 0;
    for (const char byte : Bytes(size)) value = value << 8 | static_cast<uint8_t>(byte);
    return value;
  }
  absl::string_view Text() { return Bytes(Number(2)); }
  absl::string_view Bytes(size_t size) {
    ok_ = ok_ && size <= left_.size();
    if (!ok_) return "";
    const absl::string_view bytes = left_.substr(0, size);
    left_.remove_prefix(size);
    return bytes;
  }
  absl::string_view Rest() { return Bytes(left_.size()); }
  // Whether all was there, and no more.
  bool IsAtEnd() const { return ok_ && left_.empty(); }
  bool ok() const { return ok_; }

 private:
  absl::string_view left_;
  bool ok_ = true;
};

absl::Status NoMessage(absl::string_view what) { return absl::InvalidArgumentError(what); }

}  // namespace

Secret EncodePamQuestion(uint32_t number, absl::string_view name, SecretView password) {
  // Sized beforehand: a string that grows leaves copies behind.
  Writer writer(kMaxPamQuestion);
  writer.Number(number, 4);
  writer.Text(name);
  writer.Bytes(password.Expose());
  std::string& frame = writer.Finish();
  Secret question{SecretView(frame)};
  WipeMemory(frame.data(), frame.size());
  return question;
}

std::string EncodePamAnswer(const PamAnswer& answer) {
  constexpr size_t kLongestText = 0xffff;
  size_t size = kAnswerWithoutTexts + answer.user.size() + 2 * answer.groups.size();
  bool fits = answer.user.size() <= kLongestText && answer.groups.size() <= kMaxGroups;
  for (const std::string& group : answer.groups) {
    size += group.size();
    fits = fits && group.size() <= kLongestText;
  }
  if (!fits || size > kMaxPamAnswer) {
    return EncodePamAnswer({.number = answer.number, .phase = PamPhase::kIdentity, .code = EMSGSIZE});
  }
  Writer writer(size);
  writer.Number(answer.number, 4);
  writer.Number(static_cast<uint8_t>(answer.phase), 1);
  writer.Number(static_cast<uint32_t>(answer.code), 4);
  writer.Text(answer.user);
  writer.Number(answer.uid.has_value() ? 1 : 0, 1);
  writer.Number(answer.uid.value_or(0), 4);
  writer.Number(answer.groups.size(), 2);
  for (const std::string& group : answer.groups) writer.Text(group);
  return std::move(writer.Finish());
}

absl::StatusOr<size_t> PamBodySize(absl::string_view header, size_t most) {
  Reader reader(header);
  const size_t size = reader.Number(kPamFrameHeader);
  if (!reader.IsAtEnd() || size == 0 || size > most) return NoMessage(absl::StrCat("a frame of ", size, " bytes"));
  return size;
}

absl::StatusOr<PamQuestion> DecodePamQuestion(SecretView body) {
  Reader reader(body.Expose());
  PamQuestion question;
  question.number = static_cast<uint32_t>(reader.Number(4));
  question.name = std::string(reader.Text());
  const SecretView password(reader.Rest());
  const bool has_nul =
      question.name.find('\0') != std::string::npos || password.Expose().find('\0') != absl::string_view::npos;
  if (!reader.ok() || question.name.empty() || question.name.size() > kMaxUsernameSize || password.empty() ||
      password.size() > kMaxPamPasswordSize || has_nul) {
    return NoMessage("no question");
  }
  question.password = Secret(password);
  return question;
}

absl::StatusOr<PamAnswer> DecodePamAnswer(absl::string_view body) {
  Reader reader(body);
  PamAnswer answer;
  answer.number = static_cast<uint32_t>(reader.Number(4));
  const uint64_t phase = reader.Number(1);
  answer.code = static_cast<int32_t>(static_cast<uint32_t>(reader.Number(4)));
  answer.user = std::string(reader.Text());
  const uint64_t has_uid = reader.Number(1);
  const auto uid = static_cast<uint32_t>(reader.Number(4));
  const uint64_t groups = reader.Number(2);
  if (phase > static_cast<uint64_t>(PamPhase::kIdentity) || has_uid > 1 || (has_uid == 0 && uid != 0) ||
      groups > kMaxGroups) {
    return NoMessage("no answer");
  }
  answer.phase = static_cast<PamPhase>(phase);
  if (has_uid == 1) answer.uid = uid;
  for (uint64_t i = 0; i < groups && reader.ok(); ++i) answer.groups.emplace_back(reader.Text());
  if (!reader.IsAtEnd()) return NoMessage("no answer");
  return answer;
}

}  // namespace credcache
