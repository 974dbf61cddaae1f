// A topic in Kafka from beginning to end, by a consumer that joins no group and commits nothing.
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
  kafka::ConfigRequest request;  // ConsumerRequest().
  std::string topic;
  // How long the brokers may be silent.
  std::chrono::milliseconds patience{30'000};
};

// Asks the brokers for the topic's partitions and their ends. A topic that is not there is empty.
// kInvalid: the configuration can never work. kUnavailable: no broker answered in time.
Result<std::unique_ptr<TopicReader>> OpenKafkaTopicReader(KafkaTopicReaderOptions options,
                                                          const Clock& clock, const Log& log);

}  // namespace tidegate::reader
