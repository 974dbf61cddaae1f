#include "reader/decode/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reader/database/list_indexes.h"

namespace tidegate::reader {

namespace {
// The names follow the order of StreamKind.
constexpr std::array<std::string_view, 6> kKindNames{"heartbeat", "reading", "machine",
                                                     "sales",     "alert",   "gap"};
constexpr std::string_view kTenant = "{tenant}";
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
  static const std::array<Stream, 6> streams{
      Stream{"heartbeat", "telematics.raw.telematics_heartbeat", "heartbeats",
             StreamKind::kHeartbeat},
      Stream{"telemetry", "telemetry.raw", "telemetry_raw", StreamKind::kReading},
      Stream{"alert", "telemetry.alerts", "alerts", StreamKind::kAlert},
      Stream{"gap", "telemetry.gaps", "gaps", StreamKind::kGap},
      Stream{"machine", "machine.sensor.readings", "sensor_readings", StreamKind::kMachine},
      Stream{.name = "sales",
             .topic = "sales_txn",
             .collection = "raw_sales",
             .kind = StreamKind::kSales,
             .format = StreamFormat::kProtobuf,
             .message = "SalesEvent",
             .required = {"sku", "qty", "price", "ts"}}};
  return streams;
}

bool IsFollowedByDefault(const Stream& built_in) {
  return built_in.kind != StreamKind::kMachine && built_in.kind != StreamKind::kSales;
}

Status LoadSchema(Stream& stream) {
  if (stream.format != StreamFormat::kProtobuf || stream.schema) return {};
  auto schema = MessageSchema::Load(stream.proto, stream.message);
  if (!schema.ok()) return schema.error();
  stream.schema = std::move(schema).value();
  return {};
}

std::vector<Index> IndexesFor(const Stream& stream, Tenancy tenancy) {
  if (stream.kind != StreamKind::kSales) return ListIndexes("timestamp", {"asset_id"}, tenancy);
  std::vector<Index> indexes = ListIndexes("timestamp", {}, tenancy);
  indexes.push_back({"sku_time", {{"sku", 1}, {"timestamp", -1}, {"_id", -1}}});
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
  for (Stream& stream : streams) {
    if (Status status = LoadSchema(stream); !status.ok()) {
      return Error{ErrorCode::kInvalid,
                   fmt::format("stream {}: {}", stream.name, status.error().message)};
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
