// What the reader follows: a stream is a topic (or a pattern of topics), what its messages are, and
// the collection that they land in. Pure; any thread once built.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "reader/landing/document_store.h"
#include "reader/tenancy.h"

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

struct Stream {
  std::string name = {};
  std::string topic = {};  // May hold {tenant} once: then all topics of that form are followed.
  std::string collection = {};
  StreamKind kind = StreamKind::kHeartbeat;

  bool is_pattern() const { return topic.find("{tenant}") != std::string::npos; }
  friend bool operator==(const Stream&, const Stream&) = default;
};

// heartbeat, telemetry, alert, gap.
std::span<const Stream> BuiltInStreams();

// Reads `topic=... collection=... kind=heartbeat|reading|alert|gap` over `base`. kInvalid: what is
// wrong with it.
Result<Stream> ParseStream(std::string_view text, Stream base);

// What a stream's collection is indexed by.
std::vector<Index> IndexesFor(const Stream& stream, Tenancy tenancy);

class StreamTable {
 public:
  struct Match {
    const Stream* stream;
    std::string_view tenant;  // From the topic; empty if the stream is no pattern.
  };

  // kInvalid: two streams of one name or topic, or no stream at all.
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
