// Publishes dead letters to a Kafka topic. One thread; the library's own threads call nothing of
// ours.
// Known loss: a letter whose acknowledgement is lost is published again, and may be there twice; a
// letter that the topic refuses for its size keeps only the beginning of its value, or only its
// reason and place. A topic that refuses even those loses the letter.
#pragma once

#include <chrono>
#include <string>

#include "core/clock.h"
#include "core/kafka/kafka_config.h"
#include "core/log.h"
#include "reader/consume/dead_letters.h"
#include "reader/consume/kafka_publisher.h"

namespace tidegate::reader {

class KafkaDeadLetters final : public DeadLetters {
 public:
  struct Options {
    // See ProducerRequest().
    kafka::ConfigRequest request;
    std::string topic = "telemetry.dlq";
    // How long Publish waits for answers. It must exceed the producer's message.timeout.ms (10 s),
    // after which the library has answered for every message.
    std::chrono::milliseconds patience{12'000};
    // How much is kept of a value that the topic refuses whole.
    size_t truncated_bytes = 16 * 1024;
  };

  // Clock and log must outlive the object.
  KafkaDeadLetters(Options options, const Clock& clock, const Log& log);

  std::vector<Status> Publish(std::span<const DeadLetter> letters) override;

 private:
  // Sends a letter that was too large in ever smaller forms, and returns the last answer.
  Status Shrink(const DeadLetter& letter, bool tried_alone, const Error& refusal);

  const size_t truncated_bytes_;
  const Clock& clock_;
  const Log& log_;
  LogLimit lost_log_;
  KafkaPublisher publisher_;
};

}  // namespace tidegate::reader
