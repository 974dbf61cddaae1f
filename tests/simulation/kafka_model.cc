#include "tests/simulation/kafka_model.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/check.h"

namespace tidegate::simulation {

using reader::Partition;
using reader::SourceMessage;

namespace {

// message.timestamp.after.max.ms of Kafka 4.
constexpr auto kMaxAhead = std::chrono::hours(1);
// max.message.bytes of the bad tenant's topic.
constexpr size_t kBadTopicBytes = 20'000;

constexpr std::array kTenants{"acme", "globex", "bad", "absent", "stranger"};

uint64_t Fnv(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace

std::vector<Partition> KafkaModel::Partitions() const {
  std::vector<std::string> topics{"telemetry.alerts", "telemetry.gaps", "telemetry.raw"};
  for (const char* tenant : kTenants) topics.push_back(std::string("fleet.") + tenant);
  std::vector<Partition> partitions;
  for (const std::string& topic : topics)
    for (int32_t number = 0; number < plan_.partitions; ++number)
      partitions.push_back({topic, number});
  return partitions;
}

Partition KafkaModel::PartitionOf(const WireMessage& message) const {
  return {message.topic,
          static_cast<int32_t>(Fnv(message.key) % static_cast<uint64_t>(plan_.partitions))};
}

bool KafkaModel::Refuses(const WireMessage& message, WallTime now) const {
  if (message.timestamp && *message.timestamp > now + kMaxAhead) return true;
  return message.topic == "fleet.bad" && message.value.size() > kBadTopicBytes;
}

void KafkaModel::Answer(ScriptedTransport& transport, WallTime now) {
  std::map<Partition, std::vector<Sent>> requests;
  for (const Sent& sent : transport.pending()) {
    std::vector<Sent>& request = requests[PartitionOf(sent.message)];
    if (request.size() < plan_.request_records) request.push_back(sent);
  }
  for (const auto& [partition, request] : requests) {
    // A partition's leader is slower in some turns than in others.
    const bool slow = slow_ && partition.topic == "fleet.bad";
    if (random_.Chance(slow ? 20 : 700)) AnswerRequest(transport, partition, request, now);
  }
}

void KafkaModel::AnswerRequest(ScriptedTransport& transport, const Partition& partition,
                               const std::vector<Sent>& request, WallTime now) {
  const bool refused =
      std::ranges::any_of(request, [&](const Sent& sent) { return Refuses(sent.message, now); });
  if (refused) {
    for (const Sent& sent : request) transport.Reject(sent.seq);
    // The broker refuses what follows in the partition as out of order, and the producer is
    // replaced.
    std::vector<Seq> later;
    for (const Sent& sent : transport.pending())
      if (PartitionOf(sent.message) == partition) later.push_back(sent.seq);
    for (const Seq seq : later) transport.Return(seq);
    return;
  }
  const bool lost = lose_answers_ && random_.Chance(300);
  for (const Sent& sent : request) Append(partition, sent.message, now);
  if (!lost) {
    for (const Sent& sent : request) transport.Ack(sent.seq);
    return;
  }
  // An idempotent producer that is replaced sends everything of the partition again, in order.
  std::vector<Seq> again;
  for (const Sent& sent : transport.pending())
    if (PartitionOf(sent.message) == partition) again.push_back(sent.seq);
  for (const Seq seq : again) transport.Retry(seq);
}

void KafkaModel::Append(const Partition& partition, const WireMessage& message, WallTime now) {
  for (reader::KafkaLog* log : {&landing_, &projecting_}) {
    log->Append(partition, message.value, message.timestamp.value_or(now), 0, message.headers);
    log->partitions[partition].back().key = message.key;
  }
}

}  // namespace tidegate::simulation
