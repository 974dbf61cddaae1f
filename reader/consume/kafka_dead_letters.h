// Dead letters in a Kafka topic, by an idempotent producer that is made with the first of them. One
// thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/clock.h"
#include "core/kafka/client_log.h"
#include "core/kafka/kafka_config.h"
#include "core/log.h"
#include "reader/consume/dead_letters.h"

namespace tidegate::reader {

class KafkaDeadLetters final : public DeadLetters {
 public:
  struct Options {
    kafka::ConfigRequest request;  // ProducerRequest().
    std::string topic = "telemetry.dlq";
    // How long Publish waits for answers. More than the producer's message.timeout.ms (10 s), which
    // ends every message.
    std::chrono::milliseconds patience{12'000};
    // What is kept of a value that the topic does not take whole.
    size_t truncated_bytes = 16 * 1024;
  };

  KafkaDeadLetters(Options options, const Clock& clock, const Log& log);
  ~KafkaDeadLetters() override;

  std::vector<Status> Publish(std::span<const DeadLetter> letters) override;

 private:
  class Producer;
  struct Attempt;

  Status EnsureProducer();
  // Sends those attempts that have no final answer, and waits for theirs.
  void Round(std::span<Attempt> attempts);
  // Sends one that is too large in ever smaller forms.
  void Shrink(Attempt& attempt, bool tried_alone);

  const Options options_;
  const Clock& clock_;
  kafka::ClientLog client_log_;
  std::unique_ptr<Producer> producer_;
};

}  // namespace tidegate::reader
