// Encodes a record as a Kafka message, and decodes a message's headers: FORMAT.md in this folder.
// Pure; any thread.
#pragma once

#include <chrono>
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
  // RecordKey(tenant, asset).
  std::string key;
  // Canonical JSON.
  std::string value;
  std::vector<std::pair<std::string, std::string>> headers;
  // nullopt: the message has no timestamp.
  std::optional<WallTime> timestamp;
};

// The store that numbered a record.
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
// 1 if the time was corrected after the clock was synchronised; otherwise absent.
inline constexpr std::string_view kHeaderRestamped = "tg-restamped";
inline constexpr std::string_view kHeaderRetained = "tg-retained";
// 1 if the record was stored without a connection, or before the current one; otherwise absent.
inline constexpr std::string_view kHeaderReplayed = "tg-replayed";
// 1 if the time is further ahead than kMaxTimeAhead; otherwise absent.
inline constexpr std::string_view kHeaderTimeSuspect = "tg-time-suspect";
inline constexpr std::string_view kSchemaVersion = "1";

// How far ahead of the gateway's clock a record's time may be. Kafka 4 refuses a whole request for
// one timestamp that is more than an hour ahead.
inline constexpr std::chrono::minutes kMaxTimeAhead{10};

// The topic template of each class; it may hold {tenant}.
struct Topics {
  std::string heartbeat = "telematics.raw.telematics_heartbeat";
  std::string reading = "telemetry.raw";
  std::string alert = "telemetry.alerts";
  std::string gap = "telemetry.gaps";
};
// kInvalid: for some tenant the template makes a name that Kafka does not allow, or it has another
// placeholder.
Status CheckTopicTemplate(std::string_view topic_template);
// Returns the topic of the tenant's records of the class.
std::string TopicFor(const Topics& topics, RecordClass record_class, std::string_view tenant);

// Returns the value of tg-id, which names a stored record.
std::string SequenceId(const Origin& origin, Seq seq);
// Accepts <gateway>:<epoch>:<seq>: no part is empty, the last is a number, and there is no '/',
// which separates the parts of a document's id.
bool IsSequenceId(std::string_view text);

// `seq` is the record's number in the store `origin`. `replayed` is tg-replayed.
WireMessage EncodeMessage(const Record& record, Seq seq, const Origin& origin, const Topics& topics,
                          bool replayed);
// Removes a timestamp later than `now` + kMaxTimeAhead; the value keeps the time. If the clock that
// gave `now` is synchronised, adds kHeaderTimeSuspect. Returns false if the timestamp is absent or
// credible.
bool DropSuspectTimestamp(WireMessage& message, WallTime now, bool synced);

// What the headers say of a message. Absent ones, as of a producer that is not ours, leave the
// defaults.
struct WireInfo {
  // tg-id; empty if absent.
  std::string id;
  std::string gateway;
  std::optional<RecordClass> record_class;
  TimeSource time_source = TimeSource::kSource;
  bool clock_synced = true;
  bool restamped = false;
  bool time_suspect = false;
  bool replayed = false;
};
// Returns the schema that the headers name if it is newer than kSchemaVersion: nothing else of the
// message may be interpreted then. DecodeHeaders() refuses a value that is too long to be looked
// at.
std::optional<std::string> NewerSchema(
    const std::vector<std::pair<std::string, std::string>>& headers);
// kRejected: the schema is newer than kSchemaVersion, or a header has an impossible value. Unknown
// headers are ignored.
Result<WireInfo> DecodeHeaders(const std::vector<std::pair<std::string, std::string>>& headers);

struct IdParts {
  std::string_view tenant;
  std::string_view asset;
  // Empty if the source gave none.
  std::string_view event_id;
  // nullopt if the payload did not carry its time (tg-time: gateway).
  std::optional<WallTime> source_time;
  // The value of tg-id.
  std::string_view sequence_id;
  // The message's value, byte for byte.
  std::string_view value;
};
// Returns the document's _id in MongoDB: FORMAT.md, "Which record is the same record".
std::string DocumentId(const IdParts& parts);

struct AlertIdParts {
  std::string_view tenant;
  std::string_view asset;
  std::string_view rule;
  WallTime raised_at;
  // raised, cleared.
  std::string_view status;
};
// Returns the _id of an alert: rule 1 there.
std::string AlertId(const AlertIdParts& parts);

}  // namespace tidegate
