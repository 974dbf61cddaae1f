// Receives the messages that can never land: a Kafka topic, or a list in tests. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

// The kind of a reason. Its name is a label of metrics, and the first word of tg-dlq-reason.
enum class RefusalKind {
  // A header is invalid, or no stream follows the topic.
  kHeaders,
  // A schema is newer than the newest one that this reader knows.
  kSchema,
  // There is no value, or it is not the JSON that the reader accepts.
  kJson,
  // The value is not the protobuf message that the stream's schema describes.
  kProtobuf,
  // A member is missing or invalid.
  kMember,
  // The tenant is missing, not allowed, or contradicted by the topic.
  kTenant,
  // The database refuses the document.
  kDatabase,
  // The database did not accept the document in as many attempts as are allowed.
  kRetries,
};
std::string_view RefusalKindName(RefusalKind kind);
std::vector<std::string_view> RefusalKindNames();

// The most bytes of a refusal's text, so that a letter's own headers are always small.
inline constexpr size_t kMaxRefusalText = 1024;

// Why a message cannot land.
struct Refusal {
  Refusal() = default;
  // Keeps the beginning of a text that is too long: it may quote a member, a header or a server.
  Refusal(RefusalKind why, std::string why_text);

  RefusalKind kind = RefusalKind::kJson;
  // For people. At most kMaxRefusalText bytes.
  std::string text;
};

// Returns "<kind>: <text>", for tg-dlq-reason and the log.
std::string Describe(const Refusal& refusal);

// A dead letter has these headers beside those of its message, of which those with this prefix are
// left out. Key and value are the message's.
inline constexpr std::string_view kDlqPrefix = "tg-dlq-";
inline constexpr std::string_view kHeaderDlqReason = "tg-dlq-reason";
inline constexpr std::string_view kHeaderDlqTime = "tg-dlq-time";
inline constexpr std::string_view kHeaderDlqTopic = "tg-dlq-topic";
inline constexpr std::string_view kHeaderDlqPartition = "tg-dlq-partition";
inline constexpr std::string_view kHeaderDlqOffset = "tg-dlq-offset";
// The epoch of the partition's log (reader/land/partition_epochs.h); left out if it is 0.
inline constexpr std::string_view kHeaderDlqEpoch = "tg-dlq-epoch";
// Kafka's timestamp of the message; left out if it had none.
inline constexpr std::string_view kHeaderDlqTimestamp = "tg-dlq-timestamp";
// The size of the whole value in bytes: the topic refuses a message of that size, so the letter
// holds only the beginning. Left out if the value is whole.
inline constexpr std::string_view kHeaderDlqTruncated = "tg-dlq-truncated";

// The pointers are the caller's. REQUIRES: neither is null.
struct DeadLetter {
  const SourceMessage* message;
  const Refusal* refusal;
  WallTime time;
  // Which of the logs that its partition has had contained the message.
  int64_t epoch = 0;
};

class DeadLetters {
 public:
  virtual ~DeadLetters() = default;
  // Returns one status for each letter, in their order. OK: the letter is as durable as the topic
  // is. kUnavailable: it may or may not be there; publish it again, which may double it. kRejected:
  // the topic refuses even the smallest form of the letter, which is logged; it is lost. Waits for
  // the answers, some 10 s at most.
  virtual std::vector<Status> Publish(std::span<const DeadLetter> letters) = 0;
};

}  // namespace tidegate::reader
