#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "reader/decode/stream.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kTenantLevel = "{tenant}";
constexpr size_t kMaxTopicBytes = 249;
constexpr size_t kMaxCollectionBytes = 100;

bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

bool IsTopic(std::string_view text) {
  std::string plain(text);
  if (const size_t at = plain.find(kTenantLevel); at != std::string::npos)
    plain.replace(at, kTenantLevel.size(), "t");
  return !plain.empty() && plain != "." && plain != ".." && plain.size() <= kMaxTopicBytes &&
         std::ranges::all_of(plain, IsNameChar);
}

bool IsCollection(std::string_view text) {
  return !text.empty() && text.size() <= kMaxCollectionBytes && !text.starts_with("system.") &&
         !text.starts_with('.') && !text.ends_with('.') && std::ranges::all_of(text, IsNameChar);
}

bool IsMember(std::string_view text) {
  return !text.empty() && text.size() <= 128 &&
         text.find_first_of("\"=,") == std::string_view::npos;
}

Error Invalid(std::string text) {
  return Error{ErrorCode::kInvalid, std::move(text)};
}

// Applies an option's value to the stream; returns false if the value is invalid.
using Setter = bool (*)(Stream&, std::string_view);

bool SetKind(Stream& stream, std::string_view value) {
  const auto kind = StreamKindFromName(value);
  stream.kind = kind.value_or(stream.kind);
  return kind.has_value();
}

bool SetFormat(Stream& stream, std::string_view value) {
  stream.format = value == "protobuf" ? StreamFormat::kProtobuf : StreamFormat::kJson;
  return value == "protobuf" || value == "json";
}

bool SetUnknown(Stream& stream, std::string_view value) {
  stream.refuse_unknown = value == "refuse";
  return value == "refuse" || value == "keep";
}

bool SetRequired(Stream& stream, std::string_view value) {
  stream.required.clear();
  if (value == "none") return true;
  while (true) {
    const size_t comma = std::min(value.find(','), value.size());
    if (!IsMember(value.substr(0, comma))) return false;
    stream.required.emplace_back(value.substr(0, comma));
    if (comma == value.size()) return true;
    value.remove_prefix(comma + 1);
  }
}

bool SetVersion(Stream& stream, std::string_view value) {
  const char* end = value.data() + value.size();
  const auto parsed = std::from_chars(value.data(), end, stream.version);
  return parsed.ec == std::errc{} && parsed.ptr == end;
}

struct Option {
  std::string_view name;
  std::string_view expected;
  Setter set;
};

constexpr std::array<Option, 10> kOptions{
    {{"topic", "the name of a topic",
      [](Stream& stream, std::string_view value) { return IsTopic(stream.topic = value); }},
     {"collection", "the name of a collection",
      [](Stream& stream, std::string_view value) {
        return IsCollection(stream.collection = value);
      }},
     {"kind", "heartbeat, reading, machine, sales, alert or gap", SetKind},
     {"format", "json or protobuf", SetFormat},
     {"proto", "the path of a .proto file or a descriptor set",
      [](Stream& stream, std::string_view value) { return !(stream.proto = value).empty(); }},
     {"message", "the full name of a message",
      [](Stream& stream, std::string_view value) { return !(stream.message = value).empty(); }},
     {"unknown", "refuse or keep", SetUnknown},
     {"id", "event_id, offset or the name of a member",
      [](Stream& stream, std::string_view value) { return IsMember(stream.id = value); }},
     {"require", "names of members, or none", SetRequired},
     {"version", "a whole number", SetVersion}}};

Status SetOption(Stream& stream, std::string_view key, std::string_view value) {
  for (const Option& option : kOptions) {
    if (option.name != key) continue;
    if (option.set(stream, value)) return {};
    return Invalid(fmt::format("{}: '{}' is not {}", key, value, option.expected));
  }
  std::string known;
  for (const Option& option : kOptions)
    known += (known.empty() ? "" : ", ") + std::string(option.name);
  return Invalid(fmt::format("'{}' is none of {}", key, known));
}

std::string_view NextWord(std::string_view& text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return text = {};
  const size_t end = std::min(text.find_first_of(" \t", begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}
}  // namespace

Result<Stream> ParseStream(std::string_view text, Stream base) {
  for (std::string_view word = NextWord(text); !word.empty(); word = NextWord(text)) {
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
      return Invalid(fmt::format("'{}' is not of the form name=value", word));
    }
    Status status = SetOption(base, word.substr(0, equals), word.substr(equals + 1));
    if (!status.ok()) return status.error();
  }
  if (base.topic.empty()) return Invalid("it has no topic=");
  if (base.collection.empty()) return Invalid("it has no collection=");
  if (base.format == StreamFormat::kProtobuf && base.message.empty())
    return Invalid("format=protobuf needs message=");
  if (base.format == StreamFormat::kJson && !base.proto.empty())
    return Invalid("proto= needs format=protobuf");
  return base;
}

std::string StreamText(const Stream& stream) {
  std::string text = fmt::format("topic={} collection={} kind={}", stream.topic, stream.collection,
                                 StreamKindName(stream.kind));
  if (stream.format == StreamFormat::kProtobuf) {
    text += " format=protobuf";
    if (!stream.proto.empty()) text += " proto=" + stream.proto;
    text += fmt::format(" message={} unknown={}", stream.message,
                        stream.refuse_unknown ? "refuse" : "keep");
  }
  text += " id=" + stream.id;
  if (!stream.required.empty()) text += fmt::format(" require={}", fmt::join(stream.required, ","));
  if (stream.version != 1) text += fmt::format(" version={}", stream.version);
  return text;
}

}  // namespace tidegate::reader
