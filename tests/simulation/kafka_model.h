// A model of Kafka: topics with partitions that keep every message, a broker that refuses what
// Kafka refuses, and the logs that two consumer groups read. It answers what a scripted transport
// has pending. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/clock.h"
#include "tests/simulation/plan.h"
#include "tests/support/reader/kafka_log.h"
#include "tests/support/scripted_transport.h"

namespace tidegate::simulation {

class KafkaModel {
 public:
  KafkaModel(const Plan& plan, uint64_t seed)
      : plan_(plan), random_(seed), slow_(plan.Has(Neighbour::kSlowPartition)) {}

  // Answers some of what is pending, a request for each partition. `now` is the broker's clock.
  void Answer(ScriptedTransport& transport, WallTime now);
  // From now on the answers to some requests are lost: they are stored, and come again.
  void LoseAnswers(bool lose) { lose_answers_ = lose; }
  // The topic of the absent tenant exists from now on.
  void CreateAbsentTopic() { absent_ = false; }
  // Every partition answers as fast as the others from now on.
  void EndSlowness() { slow_ = false; }
  bool absent() const { return absent_; }

  // The messages of the landing group and of the projecting one.
  reader::KafkaLog& landing() { return landing_; }
  reader::KafkaLog& projecting() { return projecting_; }
  // Every partition that the reader follows.
  std::vector<reader::Partition> Partitions() const;

 private:
  using Sent = ScriptedTransport::Sent;

  bool Refuses(const WireMessage& message, WallTime now) const;
  void AnswerRequest(ScriptedTransport& transport, const reader::Partition& partition,
                     const std::vector<Sent>& request, WallTime now);
  void Append(const reader::Partition& partition, const WireMessage& message, WallTime now);
  reader::Partition PartitionOf(const WireMessage& message) const;

  const Plan& plan_;
  Random random_;
  bool slow_;
  bool lose_answers_ = false;
  bool absent_ = true;
  reader::KafkaLog landing_;
  reader::KafkaLog projecting_;
};

// The topic of a tenant that does not exist at first.
inline constexpr const char* kAbsentTopic = "fleet.absent";

}  // namespace tidegate::simulation
