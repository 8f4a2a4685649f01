#include "peers/codec.h"

#include <cstddef>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace credcache::peers {
namespace {

constexpr uint32_t kDovecotMajor = 1;
constexpr size_t kLongestHead = 65536;

void AppendLengthPrefixed(absl::string_view text, std::string* to) {
  to->push_back(static_cast<char>(text.size() >> 8));
  to->push_back(static_cast<char>(text.size() & 0xff));
  absl::StrAppend(to, text);
}

absl::Status Malformed(absl::string_view what) {
  return absl::InternalError(absl::StrCat("the server's answer is malformed: ", absl::CHexEscape(what.substr(0, 80))));
}

}  // namespace

void AppendSaslauthdRequest(absl::string_view login, absl::string_view password, absl::string_view service,
                            absl::string_view realm, std::string* to) {
  for (const absl::string_view field : {login, password, service, realm}) AppendLengthPrefixed(field, to);
}

absl::StatusOr<bool> ReadSaslauthdReply(absl::string_view bytes) {
  if (bytes.size() < 4) return absl::UnavailableError("the server closed without an answer");
  const absl::string_view text = bytes.substr(2);
  if (absl::StartsWith(text, "OK")) return true;
  if (absl::StartsWith(text, "NO")) return false;
  return Malformed(bytes);
}

void AppendDovecotHandshake(uint32_t client_id, std::string* to) {
  absl::StrAppend(to, "VERSION\t", kDovecotMajor, "\t1\nCPID\t", client_id, "\n");
}

void AppendDovecotRequest(uint32_t id, absl::string_view service, absl::string_view username,
                          absl::string_view password, std::string* to) {
  const std::string response = absl::StrCat(absl::string_view("\0", 1), username, absl::string_view("\0", 1), password);
  // nologin: no master process is going to claim this log-on.
  absl::StrAppend(to, "AUTH\t", id, "\tPLAIN\tservice=", service,
                  "\tnologin\tsecured\tresp=", absl::Base64Escape(response), "\n");
}

std::optional<absl::string_view> TakeLine(absl::string_view* bytes) {
  const size_t end = bytes->find('\n');
  if (end == absl::string_view::npos) return std::nullopt;
  const absl::string_view line = bytes->substr(0, end);
  bytes->remove_prefix(end + 1);
  return line;
}

absl::StatusOr<DovecotReply> ReadDovecotLine(absl::string_view line) {
  const std::vector<absl::string_view> fields = absl::StrSplit(line, '\t');
  const absl::string_view command = fields[0];
  if (command == "DONE") return DovecotReply{DovecotReply::Kind::kDone};
  if (command == "VERSION") {
    uint32_t major = 0;
    if (fields.size() < 2 || !absl::SimpleAtoi(fields[1], &major)) return Malformed(line);
    if (major != kDovecotMajor) return absl::InternalError(absl::StrCat("the server speaks version ", major));
    return DovecotReply{};
  }
  if (command != "OK" && command != "FAIL") return DovecotReply{};
  DovecotReply reply{command == "OK" ? DovecotReply::Kind::kOk : DovecotReply::Kind::kFail};
  if (fields.size() < 2 || !absl::SimpleAtoi(fields[1], &reply.id)) return Malformed(line);
  for (const absl::string_view field : fields) {
    if (field == "temp" || field == "code=temp_fail") return absl::UnavailableError("the server cannot tell now");
  }
  return reply;
}

void AppendHttpRequest(absl::string_view path, absl::string_view host, absl::string_view username,
                       absl::string_view password, std::string* to) {
  absl::StrAppend(to, "GET ", path, " HTTP/1.1\r\nHost: ", host, "\r\nAuthorization: Basic ",
                  absl::Base64Escape(absl::StrCat(username, ":", password)), "\r\n\r\n");
}

absl::StatusOr<std::optional<int>> TakeHttpResponse(absl::string_view* bytes) {
  const size_t head_end = bytes->find("\r\n\r\n");
  if (head_end == absl::string_view::npos) {
    if (bytes->size() > kLongestHead) return Malformed(*bytes);
    return std::nullopt;
  }
  const std::vector<absl::string_view> lines = absl::StrSplit(bytes->substr(0, head_end), "\r\n");
  const std::vector<absl::string_view> status_line = absl::StrSplit(lines[0], ' ');
  int status = 0;
  if (!absl::StartsWith(lines[0], "HTTP/1.1 ") || !absl::SimpleAtoi(status_line[1], &status)) return Malformed(*bytes);
  std::optional<size_t> body_size;
  if (status == 204 || status == 304) body_size = 0;
  for (const absl::string_view line : lines) {
    const std::pair<absl::string_view, absl::string_view> header = absl::StrSplit(line, absl::MaxSplits(':', 1));
    size_t size = 0;
    if (absl::EqualsIgnoreCase(header.first, "content-length")) {
      if (!absl::SimpleAtoi(absl::StripAsciiWhitespace(header.second), &size)) return Malformed(line);
      body_size = size;
    }
  }
  if (!body_size) return absl::InternalError("the server's answer has no Content-Length");
  const size_t whole = head_end + 4 + *body_size;
  if (bytes->size() < whole) return std::nullopt;
  bytes->remove_prefix(whole);
  return status;
}

}  // namespace credcache::peers
