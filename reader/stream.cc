#include "reader/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tidegate::reader {

namespace {
// In the order of StreamKind.
constexpr std::array<std::string_view, 6> kKindNames{"heartbeat", "reading", "machine",
                                                     "sales",     "alert",   "gap"};
constexpr std::string_view kTenant = "{tenant}";
constexpr size_t kMaxTopicBytes = 249;
constexpr size_t kMaxCollectionBytes = 100;

bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

bool IsTopic(std::string_view text) {
  std::string plain(text);
  if (const size_t at = plain.find(kTenant); at != std::string::npos)
    plain.replace(at, kTenant.size(), "t");
  return !plain.empty() && plain != "." && plain != ".." && plain.size() <= kMaxTopicBytes &&
         std::ranges::all_of(plain, IsNameChar);
}

bool IsCollection(std::string_view text) {
  return !text.empty() && text.size() <= kMaxCollectionBytes && !text.starts_with("system.") &&
         !text.starts_with('.') && !text.ends_with('.') && std::ranges::all_of(text, IsNameChar);
}

Status SetOption(Stream& stream, std::string_view key, std::string_view value) {
  if (key == "topic") {
    if (!IsTopic(value))
      return Error{ErrorCode::kInvalid, fmt::format("'{}' is not a topic name", value)};
    stream.topic = value;
  } else if (key == "collection") {
    if (!IsCollection(value))
      return Error{ErrorCode::kInvalid, fmt::format("'{}' is not a collection name", value)};
    stream.collection = value;
  } else if (key == "kind") {
    const auto kind = StreamKindFromName(value);
    if (!kind) {
      return Error{ErrorCode::kInvalid,
                   fmt::format("kind '{}' is none of {}", value, fmt::join(kKindNames, ", "))};
    }
    stream.kind = *kind;
  } else {
    return Error{ErrorCode::kInvalid, fmt::format("'{}' is none of topic, collection, kind", key)};
  }
  return {};
}

std::string_view NextWord(std::string_view& text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return text = {};
  const size_t end = std::min(text.find_first_of(" \t", begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

std::string TopicExpression(std::string_view topic) {
  std::string expression = "^";
  const size_t at = topic.find(kTenant);
  for (size_t i = 0; i < topic.size(); ++i) {
    if (i == at) {
      expression += "[A-Za-z0-9._-]+";
      i += kTenant.size() - 1;
    } else if (topic[i] == '.') {
      expression += "\\.";
    } else {
      expression.push_back(topic[i]);
    }
  }
  return expression + "$";
}

std::optional<std::string_view> TenantOf(const Stream& stream, std::string_view topic) {
  const size_t at = stream.topic.find(kTenant);
  const std::string_view before = std::string_view(stream.topic).substr(0, at);
  const std::string_view after = std::string_view(stream.topic).substr(at + kTenant.size());
  if (topic.size() <= before.size() + after.size() || !topic.starts_with(before) ||
      !topic.ends_with(after)) {
    return std::nullopt;
  }
  return topic.substr(before.size(), topic.size() - before.size() - after.size());
}
}  // namespace

std::string_view StreamKindName(StreamKind kind) {
  return kKindNames[static_cast<size_t>(kind)];
}

std::optional<StreamKind> StreamKindFromName(std::string_view name) {
  const auto found = std::ranges::find(kKindNames, name);
  if (found == kKindNames.end()) return std::nullopt;
  return static_cast<StreamKind>(found - kKindNames.begin());
}

std::span<const Stream> BuiltInStreams() {
  static const std::array<Stream, 4> streams{
      Stream{"heartbeat", "telematics.raw.telematics_heartbeat", "heartbeats",
             StreamKind::kHeartbeat},
      Stream{"telemetry", "telemetry.raw", "telemetry_raw", StreamKind::kReading},
      Stream{"alert", "telemetry.alerts", "alerts", StreamKind::kAlert},
      Stream{"gap", "telemetry.gaps", "gaps", StreamKind::kGap}};
  return streams;
}

Result<Stream> ParseStream(std::string_view text, Stream base) {
  for (std::string_view word = NextWord(text); !word.empty(); word = NextWord(text)) {
    const size_t equals = word.find('=');
    if (equals == std::string_view::npos) {
      return Error{ErrorCode::kInvalid, fmt::format("'{}' is not of the form name=value", word)};
    }
    Status status = SetOption(base, word.substr(0, equals), word.substr(equals + 1));
    if (!status.ok()) return status.error();
  }
  if (base.topic.empty()) return Error{ErrorCode::kInvalid, "it has no topic="};
  if (base.collection.empty()) return Error{ErrorCode::kInvalid, "it has no collection="};
  return base;
}

std::vector<Index> IndexesFor(const Stream& stream, Tenancy tenancy) {
  Index by_asset{"asset_time", {{"asset_id", 1}, {"timestamp", -1}}};
  if (tenancy == Tenancy::kShared)
    by_asset = {"tenant_asset_time", {{"tenant_id", 1}, {"asset_id", 1}, {"timestamp", -1}}};
  std::vector<Index> indexes{by_asset};
  // The newest of all assets: what an operator asks of alerts and gaps.
  if (stream.kind == StreamKind::kAlert || stream.kind == StreamKind::kGap) {
    indexes.push_back({"time", {{"timestamp", -1}}});
  }
  return indexes;
}

Result<StreamTable> StreamTable::Make(std::vector<Stream> streams) {
  if (streams.empty()) return Error{ErrorCode::kInvalid, "there is no stream to follow"};
  for (size_t i = 0; i < streams.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (streams[i].name != streams[j].name && streams[i].topic != streams[j].topic) continue;
      return Error{ErrorCode::kInvalid, fmt::format("the streams {} and {} follow the same topic",
                                                    streams[j].name, streams[i].name)};
    }
  }
  StreamTable table;
  table.streams_ = std::move(streams);
  std::stable_partition(table.streams_.begin(), table.streams_.end(),
                        [](const Stream& stream) { return !stream.is_pattern(); });
  return table;
}

std::optional<StreamTable::Match> StreamTable::Find(std::string_view topic) const {
  for (const Stream& stream : streams_) {
    if (!stream.is_pattern()) {
      if (stream.topic == topic) return Match{&stream, {}};
    } else if (const auto tenant = TenantOf(stream, topic)) {
      return Match{&stream, *tenant};
    }
  }
  return std::nullopt;
}

std::vector<std::string> StreamTable::Subscription() const {
  std::vector<std::string> topics;
  for (const Stream& stream : streams_) {
    topics.push_back(stream.is_pattern() ? TopicExpression(stream.topic) : stream.topic);
  }
  return topics;
}

}  // namespace tidegate::reader
