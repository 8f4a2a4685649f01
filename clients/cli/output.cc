#include "cli/output.h"

#include <google/protobuf/util/json_util.h>

#include <array>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/duration.h"

namespace credcache::cli {

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json, options).ok()) return "{}";
  return json;
}

std::string Printable(absl::string_view text) {
  std::string printable;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are controls too; in UTF-8 they begin with C2.
    const bool c1 = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (byte < 0x20 || byte == 0x7F || c1) {
      absl::StrAppendFormat(&printable, "\\x%02x", byte);
      if (c1) absl::StrAppendFormat(&printable, "\\x%02x", static_cast<unsigned char>(text[++i]));
    } else {
      printable += text[i];
    }
  }
  return printable;
}

std::string Grouped(uint64_t number) {
  std::string digits = absl::StrCat(number);
  for (auto place = static_cast<ptrdiff_t>(digits.size()) - 3; place > 0; place -= 3) digits.insert(place, 1, ',');
  return digits;
}

std::string Bytes(uint64_t bytes) {
  constexpr std::array<absl::string_view, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(bytes);
  size_t unit = 0;
  while (amount >= 1024 && unit + 1 < kUnits.size()) {
    amount /= 1024;
    ++unit;
  }
  return unit == 0 ? absl::StrCat(bytes, " B") : absl::StrFormat("%.1f %s", amount, kUnits[unit]);
}

absl::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

std::string TimeAndDistance(absl::Time time, absl::Time now) {
  const std::string when = absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
  return time <= now ? absl::StrCat(when, " (", Rough(now - time), " ago)")
                     : absl::StrCat(when, " (in ", Rough(time - now), ")");
}

}  // namespace credcache::cli
