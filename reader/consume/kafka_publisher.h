// Publishes messages to Kafka and waits for the answers. The idempotent producer starts with the
// first message. One thread; the library's own threads call nothing of ours.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/kafka/client_log.h"
#include "core/kafka/kafka_config.h"
#include "core/log.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

// A message to be published. The pointers are the caller's; nullptr is Kafka's null.
struct Outgoing {
  const std::string* key = nullptr;
  const std::string* value = nullptr;
  // How much of the value is sent, from its beginning.
  size_t value_bytes = 0;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

class KafkaPublisher {
 public:
  struct Options {
    // See ProducerRequest().
    kafka::ConfigRequest request;
    std::string topic;
    // What is published, for the log.
    std::string name;
    // How long Publish waits for answers. It must exceed the producer's message.timeout.ms (10 s),
    // after which the library has answered for every message.
    std::chrono::milliseconds patience{12'000};
  };

  // Clock and log must outlive the object.
  KafkaPublisher(Options options, const Clock& clock, const Log& log);
  ~KafkaPublisher();

  // Returns for each message, in their order, the position after it. OK: the message is as durable
  // as the topic is. kRejected: the topic refuses a message, or a request, of that size.
  // kUnavailable: it may or may not be there; publish it again, which may double it.
  std::vector<Result<Position>> Publish(std::span<const Outgoing> messages);

 private:
  class Producer;
  struct Attempt;

  Status EnsureProducer();
  Result<Position> Answer(const Attempt& attempt) const;

  const Options options_;
  const Clock& clock_;
  kafka::ClientLog client_log_;
  std::unique_ptr<Producer> producer_;
};

}  // namespace tidegate::reader
