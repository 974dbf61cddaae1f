// A Kafka cluster inside the process, for tests and demos: librdkafka's mock brokers on loopback,
// with faults on demand. It keeps no more than 5 MiB or 100,000 messages of a partition and drops
// the oldest. Any thread, one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/dev_broker/kafka_topic.h"

namespace tidegate {

class MockKafka {
 public:
  using Message = KafkaMessage;
  // What the first broker answers the next produce requests: 0 takes them, kDisconnect closes the
  // connection, else an rd_kafka_resp_err_t.
  static constexpr int kTake = 0;
  static const int kDisconnect;

  // Listens at once. Broker ids are 1, 2, ...
  explicit MockKafka(int brokers = 1);
  ~MockKafka();

  const std::string& bootstrap_servers() const { return bootstrap_servers_; }
  void CreateTopic(const std::string& topic, int partitions);

  void SetDown();
  void SetUp();
  void SetRoundTrip(int milliseconds);
  void AnswerProduce(const std::vector<int>& answers);
  // How many of those answers have not been used.
  size_t unused_answers() const;
  void AnswerInitProducerId(const std::vector<int>& answers);
  // What clients hear about the topic; 0 ends it.
  void SetTopicError(const std::string& topic, int error);
  void SetLeader(const std::string& topic, int partition, int broker);

  // All that the partitions of the topic hold, partition by partition, oldest first.
  std::vector<Message> Read(const std::string& topic) const;

 private:
  struct Cluster;

  int brokers_;
  std::unique_ptr<Cluster> cluster_;
  std::string bootstrap_servers_;
};

}  // namespace tidegate
