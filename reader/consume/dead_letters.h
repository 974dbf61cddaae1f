// Where messages go that can never land: a Kafka topic, or a list in tests. One thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

// The kind of a reason: a label of metrics, and the first word of tg-dlq-reason.
enum class RefusalKind {
  kHeaders,   // A header that cannot be, or a topic of no stream.
  kSchema,    // A schema that is newer than the newest known here.
  kJson,      // No value, or not the JSON that we take.
  kProtobuf,  // Not the message that the stream's schema describes.
  kMember,    // A member is missing or is not what it must be.
  kTenant,    // None, not allowed, or contradicted by the topic.
  kDatabase,  // The database refuses the document.
  kRetries,   // The database did not take it in as many attempts as are allowed.
};
std::string_view RefusalKindName(RefusalKind kind);
std::vector<std::string_view> RefusalKindNames();

struct Refusal {
  RefusalKind kind = RefusalKind::kJson;
  std::string text;  // For people.
};

// "<kind>: <text>": what goes into tg-dlq-reason and the log.
std::string Describe(const Refusal& refusal);

// Added to the message's own headers. Its key and value stay as they are.
inline constexpr std::string_view kHeaderDlqReason = "tg-dlq-reason";
inline constexpr std::string_view kHeaderDlqTime = "tg-dlq-time";
inline constexpr std::string_view kHeaderDlqTopic = "tg-dlq-topic";
inline constexpr std::string_view kHeaderDlqPartition = "tg-dlq-partition";
inline constexpr std::string_view kHeaderDlqOffset = "tg-dlq-offset";
// Kafka's timestamp of the message, if it had one.
inline constexpr std::string_view kHeaderDlqTimestamp = "tg-dlq-timestamp";
// The size of the whole value: the topic takes no message of that size, so that only the beginning
// is there.
inline constexpr std::string_view kHeaderDlqTruncated = "tg-dlq-truncated";

struct DeadLetter {
  const SourceMessage* message;
  const Refusal* refusal;
  WallTime time;
};

class DeadLetters {
 public:
  virtual ~DeadLetters() = default;
  // One status a letter, in their order; OK: as durable as the topic is. kUnavailable: not known to
  // be there; publish it again, which may double it. Waits for the answers, at most some 10 s.
  virtual std::vector<Status> Publish(std::span<const DeadLetter> letters) = 0;
};

}  // namespace tidegate::reader
