#include "core/wire/wire_message.h"

#include <fmt/format.h>

#include <charconv>
#include <system_error>

namespace tidegate {

namespace {
constexpr std::string_view kTenantPlaceholder = "{tenant}";
// Header values are bytes from the network; longer ones cannot be ours.
constexpr size_t kMaxHeaderBytes = 512;
constexpr size_t kMaxTopicBytes = 249;  // Kafka's limit.

const std::string& TemplateFor(const Topics& topics, RecordClass record_class) {
  switch (record_class) {
    case RecordClass::kAlert:
      return topics.alert;
    case RecordClass::kGap:
      return topics.gap;
    case RecordClass::kHeartbeat:
      return topics.heartbeat;
    case RecordClass::kReading:
      break;
  }
  return topics.reading;
}

std::string_view TimeSourceName(TimeSource source) {
  return source == TimeSource::kSource ? "source" : "gateway";
}

// Only a trusted time becomes the message's timestamp, and Kafka has none before 1970.
std::optional<WallTime> MessageTimestamp(const Record& record) {
  const bool trusted = record.time_source == TimeSource::kSource || record.clock_synced;
  if (!trusted || record.time < WallTime{}) return std::nullopt;
  return record.time;
}

Error BadHeader(std::string_view name, std::string_view value) {
  return Error{ErrorCode::kRejected,
               fmt::format("decode header {}: cannot be \"{}\"", name, value)};
}

// Returns 0 if the value is no number.
unsigned SchemaNumber(std::string_view value) {
  unsigned schema = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), schema);
  return error == std::errc() && end == value.data() + value.size() ? schema : 0;
}

Status DecodeSchema(std::string_view value) {
  if (SchemaNumber(value) == 0) return BadHeader(kHeaderSchema, value);
  if (value == kSchemaVersion) return {};
  return Error{ErrorCode::kRejected,
               fmt::format("decode header {}: schema {} is newer than {}, the newest known here",
                           kHeaderSchema, value, kSchemaVersion)};
}

// Reads one header into `info`.
Status DecodeHeader(std::string_view name, const std::string& value, WireInfo& info) {
  if (value.size() > kMaxHeaderBytes && name.starts_with("tg-")) {
    return BadHeader(name, value.substr(0, 32) + "...");
  }
  if (name == kHeaderId) {
    info.id = value;
  } else if (name == kHeaderGateway) {
    info.gateway = value;
  } else if (name == kHeaderSchema) {
    return DecodeSchema(value);
  } else if (name == kHeaderKind) {
    info.record_class = RecordClassFromName(value);
    if (!info.record_class) return BadHeader(name, value);
  } else if (name == kHeaderTime) {
    if (value != "source" && value != "gateway") return BadHeader(name, value);
    info.time_source = value == "source" ? TimeSource::kSource : TimeSource::kGateway;
  } else if (name == kHeaderClock) {
    if (value != "synced" && value != "unsynced") return BadHeader(name, value);
    info.clock_synced = value == "synced";
  } else if (name == kHeaderRestamped) {
    if (value != "1") return BadHeader(name, value);
    info.restamped = true;
  } else if (name == kHeaderTimeSuspect) {
    if (value != "1") return BadHeader(name, value);
    info.time_suspect = true;
  } else if (name == kHeaderReplayed) {
    if (value != "1") return BadHeader(name, value);
    info.replayed = true;
  }
  return {};
}
}  // namespace

Status CheckTopicTemplate(std::string_view topic_template) {
  size_t longest = 0;
  std::string literal;
  for (size_t at = 0; at < topic_template.size();) {
    if (topic_template.substr(at).starts_with(kTenantPlaceholder)) {
      longest += kMaxTenantBytes;
      at += kTenantPlaceholder.size();
    } else {
      literal.push_back(topic_template[at++]);
      ++longest;
    }
  }
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  if (longest == 0 || topic_template == "." || topic_template == "..") {
    return Error{ErrorCode::kInvalid,
                 fmt::format("topic \"{}\": no name for a topic", topic_template)};
  }
  if (const size_t bad = literal.find_first_not_of(kAllowed); bad != std::string::npos) {
    return Error{
        ErrorCode::kInvalid,
        fmt::format("topic \"{}\": '{}' is not allowed: A-Z a-z 0-9 . _ - and {{tenant}} are",
                    topic_template, literal[bad])};
  }
  if (longest > kMaxTopicBytes) {
    return Error{ErrorCode::kInvalid, fmt::format("topic \"{}\": up to {} bytes, Kafka takes {}",
                                                  topic_template, longest, kMaxTopicBytes)};
  }
  return {};
}

std::string TopicFor(const Topics& topics, RecordClass record_class, std::string_view tenant) {
  std::string topic = TemplateFor(topics, record_class);
  for (size_t at = topic.find(kTenantPlaceholder); at != std::string::npos;
       at = topic.find(kTenantPlaceholder, at + tenant.size())) {
    topic.replace(at, kTenantPlaceholder.size(), tenant);
  }
  return topic;
}

WireMessage EncodeMessage(const Record& record, Seq seq, const Origin& origin, const Topics& topics,
                          bool replayed) {
  WireMessage message;
  message.topic = TopicFor(topics, record.record_class, record.tenant);
  message.key = RecordKey(record.tenant, record.asset);
  message.value = record.value;
  message.timestamp = MessageTimestamp(record);
  message.headers.reserve(replayed ? 7 : 6);
  message.headers.emplace_back(kHeaderId, SequenceId(origin, seq));
  message.headers.emplace_back(kHeaderKind, RecordClassName(record.record_class));
  message.headers.emplace_back(kHeaderSchema, kSchemaVersion);
  message.headers.emplace_back(kHeaderGateway, origin.gateway);
  message.headers.emplace_back(kHeaderTime, TimeSourceName(record.time_source));
  message.headers.emplace_back(kHeaderClock, record.clock_synced ? "synced" : "unsynced");
  if (replayed) message.headers.emplace_back(kHeaderReplayed, "1");
  return message;
}

bool DropSuspectTimestamp(WireMessage& message, WallTime now, bool synced) {
  if (!message.timestamp || *message.timestamp <= now + kMaxTimeAhead) return false;
  message.timestamp.reset();
  if (synced) message.headers.emplace_back(kHeaderTimeSuspect, "1");
  return true;
}

std::optional<std::string> NewerSchema(
    const std::vector<std::pair<std::string, std::string>>& headers) {
  for (const auto& [name, value] : headers) {
    // Leading zeros make a number of any length.
    if (name != kHeaderSchema || value.size() > kMaxHeaderBytes) continue;
    if (SchemaNumber(value) > SchemaNumber(kSchemaVersion)) return value;
  }
  return std::nullopt;
}

Result<WireInfo> DecodeHeaders(const std::vector<std::pair<std::string, std::string>>& headers) {
  WireInfo info;
  for (const auto& [name, value] : headers) {
    Status status = DecodeHeader(name, value, info);
    if (!status.ok()) return status.error();
  }
  return info;
}

}  // namespace tidegate
