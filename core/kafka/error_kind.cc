#include "core/kafka/error_kind.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace tidegate::kafka {

namespace {
struct Entry {
  rd_kafka_resp_err_t code;
  ErrorKind kind;
  std::string_view reason;
};

// Codes that are not listed are kRetry: the broker, the network, a setting on the server, or a
// state that passes.
constexpr std::array kTable{
    Entry{RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, ErrorKind::kRejected,
          "larger than the topic's max.message.bytes"},
    Entry{RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, ErrorKind::kRejected, "the broker refuses this size"},
    Entry{RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, ErrorKind::kRejected,
          "larger than a segment of the topic"},
    Entry{RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, ErrorKind::kRejected,
          "outside of the topic's message.timestamp limits"},
    Entry{RD_KAFKA_RESP_ERR_INVALID_RECORD, ErrorKind::kRejected,
          "refused by the broker's validation"},
    Entry{RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, ErrorKind::kRejected,
          "the topic's message format cannot hold headers"},
    Entry{RD_KAFKA_RESP_ERR__BAD_MSG, ErrorKind::kRejected, "the library cannot encode it"},

    Entry{RD_KAFKA_RESP_ERR__FATAL, ErrorKind::kFatal, "the idempotent producer gave up"},
    Entry{RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE, ErrorKind::kFatal,
          "a request was refused: stop before later records overtake it"},
    Entry{RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, ErrorKind::kFatal,
          "broker and producer disagree on what was sent; a new producer id starts afresh"},
    Entry{RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID, ErrorKind::kFatal,
          "the broker forgot the producer; a new producer id starts afresh"},
    Entry{RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING, ErrorKind::kFatal,
          "the broker does not know the producer id"},
    Entry{RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, ErrorKind::kFatal,
          "the broker has seen a newer epoch of the producer id"},
    Entry{RD_KAFKA_RESP_ERR_PRODUCER_FENCED, ErrorKind::kFatal, "another producer took the id"},
    Entry{RD_KAFKA_RESP_ERR__FENCED, ErrorKind::kFatal, "another client took the id"},
    Entry{RD_KAFKA_RESP_ERR__INCONSISTENT, ErrorKind::kFatal,
          "the library found its own state inconsistent"},

    // These look final, but can be changed on the server, and the records must wait for that.
    Entry{RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, ErrorKind::kRetry,
          "an access list can be corrected on the server"},
    Entry{RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, ErrorKind::kRetry,
          "an access list can be corrected on the server"},
    Entry{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, ErrorKind::kRetry, "the topic can be created"},
    Entry{RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, ErrorKind::kRetry, "the topic can be created"},
    Entry{RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, ErrorKind::kRetry, "the topic can be created"},
    Entry{RD_KAFKA_RESP_ERR_POLICY_VIOLATION, ErrorKind::kRetry,
          "a policy can be changed on the server"},
    Entry{RD_KAFKA_RESP_ERR_INVALID_MSG, ErrorKind::kRetry, "damaged on the way"},
    Entry{RD_KAFKA_RESP_ERR__PURGE_QUEUE, ErrorKind::kRetry, "never sent: the client was given up"},
    Entry{RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, ErrorKind::kRetry,
          "perhaps delivered: the client was given up"},
};

const Entry* Find(int code) {
  const auto* found =
      std::ranges::find_if(kTable, [code](const Entry& entry) { return entry.code == code; });
  return found == kTable.end() ? nullptr : found;
}
}  // namespace

ErrorKind KindOf(int code) {
  const Entry* entry = Find(code);
  return entry != nullptr ? entry->kind : ErrorKind::kRetry;
}

std::string ReasonFor(int code) {
  const Entry* entry = Find(code);
  return entry != nullptr ? std::string(entry->reason) : std::string();
}

std::string DescribeError(int code) {
  const auto error = static_cast<rd_kafka_resp_err_t>(code);
  return fmt::format("{} ({})", rd_kafka_err2str(error), rd_kafka_err2name(error));
}

}  // namespace tidegate::kafka
