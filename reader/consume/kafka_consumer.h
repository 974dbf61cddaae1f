// How a consumer of librdkafka begins. For the files that call the library.
#pragma once

#include "core/kafka/kafka_handle.h"
#include "core/result.h"

namespace tidegate::reader {

// Takes the configuration over. Log lines and everything else are handed out by
// rd_kafka_consumer_poll, on the caller's thread. kInvalid: the library refuses it.
Result<kafka::ClientHandle> StartConsumer(kafka::ConfHandle conf);

}  // namespace tidegate::reader
