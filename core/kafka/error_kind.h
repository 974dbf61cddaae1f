// Classifies the errors of Kafka and of librdkafka by what to do with the record and with the
// client. Pure; any thread.
#pragma once

#include <string>

namespace tidegate::kafka {

enum class ErrorKind {
  // Send the record again later, perhaps with a new client. Every unknown error is of this kind,
  // because a repeat is harmless.
  kRetry,
  // The broker refused the bytes. It refuses a produce request whole, so only a record that was
  // refused alone is proven to be the bad one.
  kRejected,
  // The client never works again: make a new one, then send the record again.
  kFatal,
};

// `code` is an rd_kafka_resp_err_t.
ErrorKind KindOf(int code);

// Returns the reason for KindOf(), for people; empty for a code without a reason of its own.
std::string ReasonFor(int code);

// Returns the library's text and name: "Broker: Message size too large (MSG_SIZE_TOO_LARGE)".
std::string DescribeError(int code);

}  // namespace tidegate::kafka
