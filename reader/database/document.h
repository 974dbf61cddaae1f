// A document that is to be landed: the value of a message, its place in the database, and its
// origin. Every landing writes the same members in the same order (WriteMembers). Pure; a Document
// belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/json/json.h"
#include "reader/database/namespace.h"

namespace tidegate::reader {

struct Stream;  // reader/decode/stream.h

// The origin of a document's time: the payload, the gateway's clock on arrival, or Kafka's message
// timestamp.
enum class TimeOrigin : uint8_t { kSource, kGateway, kBroker };
std::string_view TimeOriginName(TimeOrigin origin);

// The dead letter from which a replay landed a document.
struct LetterPlace {
  // The replay's name: the time at which it began.
  std::string replay = {};
  // "<topic>/<number>"
  std::string partition = {};
  int64_t offset = 0;

  friend bool operator==(const LetterPlace&, const LetterPlace&) = default;
};

// The sub-document `tidegate`: the record's origin. The document's identity does not depend on it.
struct Provenance {
  // Empty if the producer is no gateway; such members are not written.
  std::string gateway;
  // The header tg-id; empty if the producer is no gateway.
  std::string sequence_id;
  TimeOrigin time = TimeOrigin::kSource;
  bool clock_synced = true;
  // The gateway corrected the time when its clock was synchronised.
  bool restamped = false;
  // The record waited on the gateway while the link was down.
  bool replayed = false;
  std::string topic;
  int32_t partition = 0;
  int64_t offset = 0;
  // The epoch of the partition's log (reader/land/partition_epochs.h); no value: not known yet.
  std::optional<int64_t> epoch = std::nullopt;
  // When the reader received the message from Kafka.
  WallTime received_at{};
  // The version that the message names, of its own schema or of FORMAT.md.
  uint32_t schema = 1;
  // When the database may remove the document; nullopt: never.
  std::optional<WallTime> expires_at = std::nullopt;
  // nullopt: the document landed from the message itself.
  std::optional<LetterPlace> dead_letter = std::nullopt;
};

// How far a document's time may be after its receipt before it counts as wrong.
inline constexpr std::chrono::minutes kClockTolerance{5};

// A member that an external source supplies. Documents may share the value.
struct Attachment {
  std::string name;
  std::shared_ptr<const json::Document> value;
};

struct Document {
  // The stream that its message came by, in the decoder's table, which outlives the document;
  // nullptr: no stream follows its topic, or it came by no message.
  const Stream* stream = nullptr;
  Namespace ns = {};
  // Becomes `_id`.
  std::string id = {};
  // The id is made of the message's topic, partition and offset.
  bool named_by_place = false;
  // REQUIRES: an object without the members `_id` and `tidegate`.
  json::Document value;
  // Becomes `tenant_id`; empty: no value.
  std::string tenant = {};
  // Becomes `asset_id`; empty: no value.
  std::string asset = {};
  // Becomes `timestamp`.
  WallTime time{};
  Provenance provenance = {};
  // Only sales have it: becomes `processed_at`, a Unix time in seconds.
  std::optional<WallTime> processed_at = {};
  // REQUIRES: the value has no members of these names.
  std::vector<Attachment> attachments = {};
  // The marks that are set (completions.h): the document waits for these attachments.
  std::vector<std::string> pending = {};
};

// Notes the epoch of the log that the document's message is in, and lengthens an id that is made of
// the message's place by it, because places mean other messages in each log. Changes nothing if the
// document has an epoch.
void SetEpoch(Document& document, int64_t epoch);

// Returns the time by which projections order the document: its own, but at most kClockTolerance
// after its receipt, so that a clock that is ahead hides nothing that comes later.
WallTime BoundedTime(const Document& document);

// Receives a document's members in their order. Implementations build BSON or JSON text.
class MemberSink {
 public:
  virtual ~MemberSink() = default;
  virtual void String(std::string_view name, std::string_view text) = 0;
  virtual void Integer(std::string_view name, int64_t number) = 0;
  virtual void Double(std::string_view name, double number) = 0;
  virtual void Bool(std::string_view name, bool value) = 0;
  virtual void Time(std::string_view name, WallTime time) = 0;
  virtual void Json(std::string_view name, json::Value value) = 0;
  virtual void BeginObject(std::string_view name) = 0;
  virtual void EndObject() = 0;
};

// Writes `_id`, the value's members in their order, then tenant_id, asset_id, timestamp and
// processed_at where the value lacks them, then the attachments, then `tidegate`. `timestamp` is
// written as a time, and so are `ts` and `raised_at` if their text parses as one; every other
// member is written unchanged.
void WriteMembers(const Document& document, MemberSink& sink);

}  // namespace tidegate::reader
