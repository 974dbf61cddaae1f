// Starts a consumer of librdkafka. For the files that call the library; any thread.
#pragma once

#include "core/kafka/kafka_handle.h"
#include "core/result.h"

namespace tidegate::reader {

// Returns a client that owns the configuration. Messages, log lines and all callbacks are served by
// rd_kafka_consumer_poll, on the thread that calls it. kInvalid: the library refuses the
// configuration.
Result<kafka::ClientHandle> StartConsumer(kafka::ConfHandle conf);

}  // namespace tidegate::reader
