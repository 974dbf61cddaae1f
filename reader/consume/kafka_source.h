// One member of a consumer group, on librdkafka: single messages, a bounded prefetch, eager or
// cooperative rebalances. The library has threads of its own; all of our code, the listener's
// included, runs on the thread that polls.
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
  // See ConsumerRequest() and ProjectingConsumerRequest().
  kafka::ConfigRequest request;
  // See StreamTable::Subscription().
  std::vector<std::string> subscription;
  // A topic that does not exist is as good as an empty one, and is not logged.
  bool may_be_missing = false;
};

// Joins the group in the background: waits for no broker. Clock and log must outlive the source.
// kInvalid: the configuration can never work.
Result<std::unique_ptr<Source>> OpenKafkaSource(const KafkaSourceOptions& options,
                                                const Clock& clock, const Log& log);

}  // namespace tidegate::reader
