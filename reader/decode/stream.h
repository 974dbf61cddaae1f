// What the reader follows: a stream is a topic (or a pattern of topics), what its messages are, and
// the collection that they land in. Pure; any thread once built.
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

// What a stream's messages tell of, which says what is made of them (projections, indexes, ids).
enum class StreamKind : uint8_t {
  kHeartbeat,  // A gateway's or device's sign of life.
  kReading,    // Measured values of an asset or sensor.
  kMachine,    // Readings of a machine that also tell whether it has failed.
  kSales,      // Events with an id of their own and no asset.
  kAlert,
  kGap,  // What a gateway had to give up.
};
std::string_view StreamKindName(StreamKind kind);
std::optional<StreamKind> StreamKindFromName(std::string_view name);

enum class StreamFormat : uint8_t { kJson, kProtobuf };

struct Stream {
  std::string name = {};
  std::string topic = {};  // May hold {tenant} once: then all topics of that form are followed.
  std::string collection = {};
  StreamKind kind = StreamKind::kHeartbeat;
  StreamFormat format = StreamFormat::kJson;
  // Of kProtobuf: a .proto file or a descriptor set, none for the built-in SalesEvent; and the full
  // name of the message in it.
  std::string proto = {};
  std::string message = {};
  bool refuse_unknown = false;  // Fields that the schema does not have; else they are kept.
  // The member that names a message's document, so that the same one again is known: event_id
  // stands for all of FORMAT.md's rules, "offset" for the message's place in Kafka.
  std::string id = "event_id";
  std::vector<std::string> required = {};  // Members that must be there, neither null nor "".
  uint32_t version = 1;                    // The newest schema_version that may land.
  std::shared_ptr<const MessageSchema> schema = nullptr;  // LoadSchema's; workers share it.

  bool is_pattern() const { return topic.find("{tenant}") != std::string::npos; }
  friend bool operator==(const Stream&, const Stream&) = default;
};

// heartbeat, telemetry, alert, gap, machine, sales.
std::span<const Stream> BuiltInStreams();
// Whether a stream is followed that nobody has named: not machine and sales.
bool IsFollowedByDefault(const Stream& built_in);

// Reads `name=value ...` (README.md lists the names) over `base`. kInvalid: what is wrong with it.
Result<Stream> ParseStream(std::string_view text, Stream base);
// The other way round, with what differs from a stream's defaults.
std::string StreamText(const Stream& stream);

// Reads the schema of a protobuf stream; nothing to do for others. kInvalid: why it has none.
Status LoadSchema(Stream& stream);

// What a stream's collection is indexed by.
std::vector<Index> IndexesFor(const Stream& stream, Tenancy tenancy);

class StreamTable {
 public:
  struct Match {
    const Stream* stream;
    std::string_view tenant;  // From the topic; empty if the stream is no pattern.
  };

  // kInvalid: two streams of one name or topic, no stream at all, or a schema that is not there.
  static Result<StreamTable> Make(std::vector<Stream> streams);

  // The stream of that topic; exact names go before patterns. The match points into the table and
  // the argument.
  std::optional<Match> Find(std::string_view topic) const;
  // Topics and, for patterns, regular expressions that begin with '^', as librdkafka subscribes to
  // them.
  std::vector<std::string> Subscription() const;
  const std::vector<Stream>& streams() const { return streams_; }

 private:
  std::vector<Stream> streams_;  // Patterns last.
};

}  // namespace tidegate::reader
