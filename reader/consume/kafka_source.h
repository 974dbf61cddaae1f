// One member of the consumer group, on librdkafka: single messages, prefetch bounded, eager or
// cooperative rebalances. The library has threads of its own; everything of ours happens on the
// thread that polls.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/kafka/kafka_config.h"
#include "core/log.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

struct KafkaSourceOptions {
  kafka::ConfigRequest request;           // ConsumerRequest().
  std::vector<std::string> subscription;  // StreamTable::Subscription().
};

// Waits for no broker. kInvalid: the configuration can never work.
Result<std::unique_ptr<Source>> OpenKafkaSource(const KafkaSourceOptions& options,
                                                const Clock& clock, const Log& log);

}  // namespace tidegate::reader
