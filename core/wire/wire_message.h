// A record as it travels in Kafka, and back: FORMAT.md in this folder. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/record.h"
#include "core/result.h"

namespace tidegate {

struct WireMessage {
  std::string topic;
  std::string key;    // RecordKey(tenant, asset)
  std::string value;  // Canonical JSON.
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<WallTime> timestamp;  // nullopt: none.
};

// Which store a record came from.
struct Origin {
  std::string gateway;
  std::string epoch;
};

inline constexpr std::string_view kHeaderId = "tg-id";          // gateway:epoch:seq
inline constexpr std::string_view kHeaderKind = "tg-kind";      // RecordClassName
inline constexpr std::string_view kHeaderSchema = "tg-schema";  // 1
inline constexpr std::string_view kHeaderGateway = "tg-gateway";
inline constexpr std::string_view kHeaderTime = "tg-time";    // source, gateway
inline constexpr std::string_view kHeaderClock = "tg-clock";  // synced, unsynced
inline constexpr std::string_view kHeaderRestamped =
    "tg-restamped";  // 1 if the time was corrected after the clock's first sync; else absent
inline constexpr std::string_view kHeaderReplayed =
    "tg-replayed";  // 1 if it was stored while the link was away; else absent
inline constexpr std::string_view kSchemaVersion = "1";

// Topics by class; each may hold {tenant}.
struct Topics {
  std::string heartbeat = "telematics.raw.telematics_heartbeat";
  std::string reading = "telemetry.raw";
  std::string alert = "telemetry.alerts";
  std::string gap = "telemetry.gaps";
};
// kInvalid: some tenant's topic would have a name that Kafka does not take, or the template has
// other placeholders.
Status CheckTopicTemplate(std::string_view topic_template);
std::string TopicFor(const Topics& topics, RecordClass record_class, std::string_view tenant);

// tg-id: which stored record a message is.
std::string SequenceId(const Origin& origin, Seq seq);

WireMessage EncodeMessage(const Record& record, Seq seq, const Origin& origin, const Topics& topics,
                          bool replayed);

// What a reader knows of a message besides its value. Absent headers (a producer that is not ours)
// leave the defaults.
struct WireInfo {
  std::string id;  // tg-id, empty if absent.
  std::string gateway;
  std::optional<RecordClass> record_class;
  TimeSource time_source = TimeSource::kSource;
  bool clock_synced = true;
  bool restamped = false;
  bool replayed = false;
};
// The schema that the headers name, if it is newer than kSchemaVersion: then nothing else of the
// message may be guessed.
std::optional<std::string> NewerSchema(
    const std::vector<std::pair<std::string, std::string>>& headers);
// kRejected: a schema newer than kSchemaVersion, or a header with a value it cannot have. Unknown
// headers are ignored.
Result<WireInfo> DecodeHeaders(const std::vector<std::pair<std::string, std::string>>& headers);

// The id that MongoDB gets: FORMAT.md, "Which record is the same record". `value` is the message's
// value, byte for byte.
struct IdParts {
  std::string_view tenant;
  std::string_view asset;
  std::string_view event_id;            // Empty if the source gave none.
  std::optional<WallTime> source_time;  // Only if the payload carried it (tg-time: source).
  std::string_view sequence_id;         // tg-id
  std::string_view value;
};
std::string DocumentId(const IdParts& parts);

// The id of an alert, rule 1 there.
struct AlertIdParts {
  std::string_view tenant;
  std::string_view asset;
  std::string_view rule;
  WallTime raised_at;
  std::string_view status;  // raised, cleared
};
std::string AlertId(const AlertIdParts& parts);

}  // namespace tidegate
