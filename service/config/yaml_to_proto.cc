#include "config/yaml_to_proto.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>
#include <utf8proc.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "config/duration.h"

namespace credcache {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Aliases make a small file a large tree; no honest configuration has so many values.
constexpr int kMaxValues = 100'000;
// Longer keys are not compared with the known ones.
constexpr size_t kMaxComparedKey = 64;

int LineOf(const YAML::Node& node) { return std::max(node.Mark().line, 0) + 1; }

std::string Shown(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return Quoted(node.Scalar());
    case YAML::NodeType::Sequence:
      return std::string(node.size() == 0 ? kShownEmptyList : kShownList);
    case YAML::NodeType::Map:
      return std::string(kShownSection);
    case YAML::NodeType::Null:
    case YAML::NodeType::Undefined:
      break;
  }
  return std::string(kShownNothing);
}

// Quoted text is text, even where it reads like a number.
bool IsPlain(const YAML::Node& node) { return node.Tag() != "!"; }

bool HasTag(const YAML::Node& node) { return !node.Tag().empty() && node.Tag() != "?" && node.Tag() != "!"; }

// Levenshtein's.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

struct NearestKey {
  std::string name;
  bool meant = false;  // so near that it was meant: at most half of the letters differ
};

NearestKey FindNearestKey(absl::string_view key, const Descriptor& descriptor) {
  NearestKey nearest;
  size_t least = 0;
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const std::string& name = descriptor.field(i)->name();
    const size_t distance = EditDistance(key.substr(0, kMaxComparedKey), name);
    if (nearest.name.empty() || distance < least) {
      nearest = {.name = name, .meant = distance <= key.size() / 2};
      least = distance;
    }
  }
  return nearest;
}

// "PERMISSION_INVALIDATE_ALL" of the enum Permission is written "invalidate_all".
std::string WrittenValue(const EnumDescriptor& type, int index) {
  std::string prefix;
  for (const char c : type.name()) {
    if (absl::ascii_isupper(c) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(c);
  }
  return absl::AsciiStrToLower(absl::string_view(type.value(index)->name()).substr(prefix.size() + 1));
}

// Index 0 is "unspecified", which nobody writes.
std::vector<std::string> WrittenValues(const EnumDescriptor& type) {
  std::vector<std::string> values;
  for (int i = 1; i < type.value_count(); ++i) values.push_back(WrittenValue(type, i));
  return values;
}

bool IsDuration(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         field.message_type() == google::protobuf::Duration::descriptor();
}

std::string ExpectedBy(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return "true or false";
    case FieldDescriptor::CPPTYPE_INT64:
      return "a whole number";
    case FieldDescriptor::CPPTYPE_ENUM:
      return absl::StrCat("one of ", absl::StrJoin(WrittenValues(*field.enum_type()), ", "));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return IsDuration(field) ? "a duration like 500ms, 30s, 120m or 2h" : "a section with keys and values";
    default:
      return "text without control characters";
  }
}

std::optional<bool> ParseBool(const YAML::Node& node) {
  if (!IsPlain(node)) return std::nullopt;
  if (node.Scalar() == "true") return true;
  if (node.Scalar() == "false") return false;
  return std::nullopt;
}

std::optional<int64_t> ParseNumber(const YAML::Node& node) {
  absl::string_view digits = node.Scalar();
  absl::ConsumePrefix(&digits, "-");
  int64_t number = 0;
  if (!IsPlain(node) || digits.empty() || !std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(node.Scalar(), &number)) {
    return std::nullopt;
  }
  return number;
}

// Nothing in a configuration needs a control character, and a NUL would end a path early.
bool IsText(absl::string_view text) { return std::none_of(text.begin(), text.end(), absl::ascii_iscntrl); }

class Reader {
 public:
  explicit Reader(ConfigSource& source) : source_(source) {}

  void ReadSection(const YAML::Node& node, const std::string& path, Message& message) {
    absl::flat_hash_map<std::string, int> lines;
    for (const auto& entry : node) {
      if (!Count()) return;
      if (!entry.first.IsScalar()) {
        source_.FailLine(LineOf(entry.first), path.empty() ? "key" : path,
                         absl::StrCat(Shown(entry.first), " as a key"), "text");
        continue;
      }
      const std::string& key = entry.first.Scalar();
      const int line = LineOf(entry.first);
      if (const auto [first, inserted] = lines.emplace(key, line); !inserted) {
        source_.FailLine(line, Child(path, Escaped(key)), "the key again",
                         absl::StrCat("it once (line ", first->second, " has it)"));
        continue;
      }
      ReadKey(key, line, entry.second, path, message);
    }
  }

 private:
  void ReadKey(const std::string& key, int line, const YAML::Node& node, const std::string& section, Message& message) {
    const Descriptor& descriptor = *message.GetDescriptor();
    const FieldDescriptor* field = descriptor.FindFieldByName(key);
    const std::string path = Child(section, Escaped(key));
    source_.Place(path, line, Shown(node));
    if (field == nullptr) return RefuseKey(key, path, section, descriptor);
    if (const auto* oneof = field->real_containing_oneof(); oneof != nullptr) {
      const FieldDescriptor* other = message.GetReflection()->GetOneofFieldDescriptor(message, oneof);
      if (other != nullptr) {
        const std::string first = Child(section, other->name());
        source_.FailAs(path, absl::StrCat(key, " beside ", other->name()),
                       absl::StrCat("one of them (line ", source_.Line(first), " has ", other->name(), ")"));
        return;
      }
    }
    if (!field->is_repeated()) return ReadValue(node, path, *field, message);
    if (!node.IsSequence() || HasTag(node)) return source_.Fail(path, "a list");
    int index = 0;
    for (const YAML::Node& item : node) {
      if (!Count()) return;
      const std::string item_path = Item(path, index++);
      source_.Place(item_path, LineOf(item), Shown(item));
      ReadValue(item, item_path, *field, message);
    }
  }

  void RefuseKey(absl::string_view key, const std::string& path, const std::string& section,
                 const Descriptor& descriptor) {
    if (descriptor.IsReservedName(std::string(key))) {
      return source_.Refuse(path, "a key that is not built yet in this version", "no such key");
    }
    const NearestKey nearest = FindNearestKey(key, descriptor);
    source_.Refuse(path, "an unknown key", absl::StrCat("a known one; the nearest is ", nearest.name),
                   nearest.meant ? Child(section, nearest.name) : "");
  }

  // Sets the field, or adds to it if it is a list.
  void ReadValue(const YAML::Node& node, const std::string& path, const FieldDescriptor& field, Message& message) {
    if (HasTag(node)) {
      AddEmpty(field, message);
      return source_.FailAs(path, absl::StrCat("the tag ", Quoted(node.Tag())), "a value without a tag");
    }
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !IsDuration(field)) {
      Message& part = MutableMessage(field, message);
      return node.IsMap() ? ReadSection(node, path, part) : source_.Fail(path, ExpectedBy(field));
    }
    if (!node.IsScalar() || !SetScalar(node, field, message)) {
      AddEmpty(field, message);
      source_.Fail(path, ExpectedBy(field));
    }
  }

  static Message& MutableMessage(const FieldDescriptor& field, Message& message) {
    const Reflection& reflection = *message.GetReflection();
    return field.is_repeated() ? *reflection.AddMessage(&message, &field)
                               : *reflection.MutableMessage(&message, &field);
  }

  // A place in the list for a value that could not be read.
  static void AddEmpty(const FieldDescriptor& field, Message& message) {
    if (!field.is_repeated()) return;
    const Reflection& reflection = *message.GetReflection();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
      reflection.AddEnumValue(&message, &field, 0);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      reflection.AddString(&message, &field, "");
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      reflection.AddMessage(&message, &field);
    }
  }

  // Whether the scalar is one of the field's type. Lists are of texts, enums and messages: no key needs another.
  static bool SetScalar(const YAML::Node& node, const FieldDescriptor& field, Message& message) {
    const Reflection& reflection = *message.GetReflection();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL: {
        const std::optional<bool> value = ParseBool(node);
        if (value.has_value()) reflection.SetBool(&message, &field, *value);
        return value.has_value();
      }
      case FieldDescriptor::CPPTYPE_INT64: {
        const std::optional<int64_t> value = ParseNumber(node);
        if (value.has_value()) reflection.SetInt64(&message, &field, *value);
        return value.has_value();
      }
      case FieldDescriptor::CPPTYPE_ENUM:
        return SetEnum(node.Scalar(), field, message);
      case FieldDescriptor::CPPTYPE_MESSAGE: {
        const std::optional<absl::Duration> value = ParseDuration(node.Scalar());
        if (!value.has_value()) return false;
        absl::Duration rest;
        auto& duration = *google::protobuf::DynamicCastToGenerated<google::protobuf::Duration>(
            reflection.MutableMessage(&message, &field));
        duration.set_seconds(absl::IDivDuration(*value, absl::Seconds(1), &rest));
        duration.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(rest)));
        return true;
      }
      default:
        if (!IsText(node.Scalar())) return false;
        if (field.is_repeated()) {
          reflection.AddString(&message, &field, node.Scalar());
        } else {
          reflection.SetString(&message, &field, node.Scalar());
        }
        return true;
    }
  }

  static bool SetEnum(absl::string_view written, const FieldDescriptor& field, Message& message) {
    const EnumDescriptor& type = *field.enum_type();
    for (int i = 1; i < type.value_count(); ++i) {
      if (written != WrittenValue(type, i)) continue;
      if (field.is_repeated()) {
        message.GetReflection()->AddEnumValue(&message, &field, type.value(i)->number());
      } else {
        message.GetReflection()->SetEnumValue(&message, &field, type.value(i)->number());
      }
      return true;
    }
    return false;
  }

  // Whether one more value may be read.
  bool Count() {
    if (++values_ == kMaxValues + 1) {
      source_.FailFile(1, absl::StrCat("more than ", kMaxValues, " values"), "fewer (aliases count each time)");
    }
    return values_ <= kMaxValues;
  }

  ConfigSource& source_;
  int values_ = 0;
};

// The line of the first byte that is not UTF-8 or a control other than tab and line end, from 1; none: all is well.
// yaml-cpp would quietly take such text for another.
std::optional<int> LineThatIsNoText(absl::string_view text) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  int line = 1;
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte == '\n') ++line;
    if (absl::ascii_iscntrl(byte) && byte != '\t' && byte != '\n' && byte != '\r') return line;
    utf8proc_int32_t codepoint = 0;
    const utf8proc_ssize_t length =
        utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &codepoint);
    if (length <= 0) return line;
    at += static_cast<size_t>(length);
  }
  return std::nullopt;
}

// Hears where documents begin, and nothing else.
class DocumentStarts : public YAML::EventHandler {
 public:
  const std::vector<int>& lines() const { return lines_; }

  void OnDocumentStart(const YAML::Mark& mark) override { lines_.push_back(std::max(mark.line, 0) + 1); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

 private:
  std::vector<int> lines_;
};

// The line where something comes after the first document. YAML::LoadAll would tell too, but does not end for a text
// like ",": the parser makes empty documents of it without end, and never goes on.
std::optional<int> LineAfterFirstDocument(const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentStarts starts;
  if (!parser.HandleNextDocument(starts) || !parser.HandleNextDocument(starts)) return std::nullopt;
  return starts.lines().back();
}

}  // namespace

void ReadYaml(absl::string_view text, Message& message, ConfigSource& source) {
  if (text.size() > kMaxConfigFileSize) {
    return source.FailFile(1, "more than 1 MiB", "a shorter file");
  }
  if (const std::optional<int> line = LineThatIsNoText(text); line.has_value()) {
    return source.FailFile(*line, "bytes that are not text", "UTF-8 without control characters");
  }
  // The one place that sees yaml-cpp's exceptions: all of them derive from this.
  try {
    const std::string owned(text);
    if (const std::optional<int> line = LineAfterFirstDocument(owned); line.has_value()) {
      return source.FailFile(*line, "something after the end of the document", "one document");
    }
    const YAML::Node document = YAML::Load(owned);
    if (!document.IsMap() || HasTag(document)) {
      return source.FailFile(1, Shown(document), "a section with keys and values");
    }
    Reader(source).ReadSection(document, "", message);
  } catch (const YAML::Exception& error) {
    source.FailFile(std::max(error.mark.line, 0) + 1, absl::StrCat("bad YAML (", Escaped(error.msg), ")"),
                    "valid syntax");
  }
}

}  // namespace credcache
