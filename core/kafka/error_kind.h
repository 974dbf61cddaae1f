// What to do about an error of Kafka or of its library, for a record and for the client that met
// it. Pure; any thread.
#pragma once

#include <string>

namespace tidegate::kafka {

enum class ErrorKind {
  kRetry,  // This record, later, perhaps with a new client. Whatever is not known better is this: a
           // repeat is harmless.
  kRejected,  // The broker refused the bytes. A produce request is refused whole, so only a record
              // that was refused alone is proven to be the bad one.
  kFatal,     // The client never works again: make a new one, then send the record again.
};

// `code` is an rd_kafka_resp_err_t.
ErrorKind KindOf(int code);

// Why KindOf says so, for people; empty for a code that only has the general reason.
std::string ReasonFor(int code);

// "Broker: Message size too large (MSG_SIZE_TOO_LARGE)".
std::string DescribeError(int code);

}  // namespace tidegate::kafka
