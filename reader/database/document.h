// A document on its way into the landing: what a message carried, where it goes, and where it came
// from. Both landings write the same members in the same order (WriteMembers). Pure; one thread per
// Document.
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

// Who gave a landed document its time: the payload, the gateway on arrival, or Kafka's message
// timestamp.
enum class TimeOrigin : uint8_t { kSource, kGateway, kBroker };
std::string_view TimeOriginName(TimeOrigin origin);

// The dead letter from which a replay landed a document.
struct LetterPlace {
  std::string replay = {};     // Which replay: when it began.
  std::string partition = {};  // "<topic>/<number>"
  int64_t offset = 0;

  friend bool operator==(const LetterPlace&, const LetterPlace&) = default;
};

// The sub-document `tidegate`: how the record travelled. Nothing in it takes part in the document's
// identity.
struct Provenance {
  std::string gateway;      // Empty (and left out): a producer that is no gateway of ours.
  std::string sequence_id;  // tg-id; empty likewise.
  TimeOrigin time = TimeOrigin::kSource;
  bool clock_synced = true;
  bool restamped = false;  // The gateway corrected the time when its clock was synchronised.
  bool replayed = false;
  std::string topic;
  int32_t partition = 0;
  int64_t offset = 0;
  WallTime received_at{};  // When the reader took it from Kafka.
  uint32_t schema = 1;     // The version that the message names, of its own schema or of FORMAT.md.
  std::optional<WallTime> expires_at = std::nullopt;  // When it may go; nullopt: never.
  // nullopt: the document landed from the message itself.
  std::optional<LetterPlace> dead_letter = std::nullopt;
};

// A member that the message did not carry: what an external source says. Shared by documents.
struct Attachment {
  std::string name;
  std::shared_ptr<const json::Document> value;
};

struct Document {
  Namespace ns = {};
  std::string id = {};      // Becomes `_id`.
  json::Document value;     // REQUIRES: an object without the members `_id` and `tidegate`.
  std::string tenant = {};  // Becomes `tenant_id`; empty: none.
  std::string asset = {};   // Becomes `asset_id`; empty: none.
  WallTime time{};          // Becomes `timestamp`.
  Provenance provenance = {};
  std::optional<WallTime> processed_at = {};  // Of sales: becomes `processed_at`, a Unix time in s.
  std::vector<Attachment> attachments = {};   // REQUIRES: the value has no members of these names.
  // Members of `tidegate` that say since when the document waits for an attachment.
  std::vector<std::string> pending = {};
};

// Receives a document's members. Implementations build BSON or JSON text.
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

// `_id`, the value's members in their order, then tenant_id, asset_id, timestamp and processed_at
// where the value lacks them, then the attachments, then `tidegate`. `timestamp`, and `ts` and
// `raised_at` that read as times, are given as times; everything else as it came.
void WriteMembers(const Document& document, MemberSink& sink);

}  // namespace tidegate::reader
