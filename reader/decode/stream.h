// The streams that the reader follows. A stream is a topic (or a pattern of topics), the kind and
// format of its messages, and the collection that they land in. Pure; any thread once built.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "reader/database/document_store.h"
#include "reader/database/tenancy.h"
#include "reader/decode/protobuf/message_schema.h"

namespace tidegate::reader {

// What a stream's messages are. Projections, indexes and ids follow from it.
enum class StreamKind : uint8_t {
  // A gateway's or device's sign of life.
  kHeartbeat,
  // Measured values of an asset or sensor.
  kReading,
  // Readings of a machine that also say whether it has failed.
  kMachine,
  // Events with an id of their own and no asset.
  kSales,
  // Alerts that gateways raised or cleared.
  kAlert,
  // What a gateway had to drop.
  kGap,
};
std::string_view StreamKindName(StreamKind kind);
std::optional<StreamKind> StreamKindFromName(std::string_view name);

enum class StreamFormat : uint8_t { kJson, kProtobuf };

struct Stream {
  std::string name = {};
  // May hold {tenant} once: then all topics of that form are followed.
  std::string topic = {};
  std::string collection = {};
  StreamKind kind = StreamKind::kHeartbeat;
  StreamFormat format = StreamFormat::kJson;
  // Only for kProtobuf: the path of a .proto file or a descriptor set, empty for the built-in
  // SalesEvent; and the full name of the message in it.
  std::string proto = {};
  std::string message = {};
  // Refuses messages with fields that the schema does not have; else the fields are kept.
  bool refuse_unknown = false;
  // The member whose value names a message's document, so that a repeated message is recognised.
  // "event_id" means all of FORMAT.md's rules, "offset" the message's place in Kafka.
  std::string id = "event_id";
  // Members that must be present, neither null nor "".
  std::vector<std::string> required = {};
  // The newest schema_version that may land.
  uint32_t version = 1;
  // Set by LoadSchema(); several threads share it.
  std::shared_ptr<const MessageSchema> schema = nullptr;

  bool is_pattern() const { return topic.find("{tenant}") != std::string::npos; }
  friend bool operator==(const Stream&, const Stream&) = default;
};

// Returns heartbeat, telemetry, alert, gap, machine and sales, in this order.
std::span<const Stream> BuiltInStreams();
// True if the stream is followed without being named: all but machine and sales.
bool IsFollowedByDefault(const Stream& built_in);

// Returns `base` with the changes of `name=value ...` (STREAMS.md lists the names). kInvalid: what
// is wrong with the text.
Result<Stream> ParseStream(std::string_view text, Stream base);
// Returns a text that ParseStream() reads as this stream; options at their defaults are left out.
std::string StreamText(const Stream& stream);

// Loads the schema of a protobuf stream; does nothing for others. kInvalid: why there is none.
Status LoadSchema(Stream& stream);

// Returns the indexes of a stream's collection.
std::vector<Index> IndexesFor(const Stream& stream, Tenancy tenancy);

class StreamTable {
 public:
  struct Match {
    const Stream* stream;
    // The part of the topic that {tenant} matches; empty if the stream is no pattern.
    std::string_view tenant;
  };

  // kInvalid: two streams have one name or topic, there is no stream, or a schema is missing.
  static Result<StreamTable> Make(std::vector<Stream> streams);

  // Returns the stream that follows the topic, exact names before patterns; nullopt if none does.
  // The match points into the table and the argument.
  std::optional<Match> Find(std::string_view topic) const;
  // Returns the topics and, for patterns, regular expressions that begin with '^': librdkafka's
  // form of a subscription.
  std::vector<std::string> Subscription() const;
  const std::vector<Stream>& streams() const { return streams_; }

 private:
  // Patterns come last.
  std::vector<Stream> streams_;
};

}  // namespace tidegate::reader
