// Reads a Kafka topic from its beginning to its end, with a consumer that joins no group and
// commits nothing. Thread: one.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/kafka/kafka_config.h"
#include "core/log.h"
#include "reader/project/replay/topic_reader.h"

namespace tidegate::reader {

struct KafkaTopicReaderOptions {
  // As ConsumerRequest() makes it.
  kafka::ConfigRequest request;
  std::string topic;
  // How long to wait for the brokers' next answer or message.
  std::chrono::milliseconds patience{30'000};
};

// Asks the brokers for the topic's partitions and their ends. A topic that does not exist is empty.
// The clock and the log must outlive the reader. kInvalid: the configuration can never work.
// kUnavailable: no broker answered in time.
Result<std::unique_ptr<TopicReader>> OpenKafkaTopicReader(KafkaTopicReaderOptions options,
                                                          const Clock& clock, const Log& log);

}  // namespace tidegate::reader
