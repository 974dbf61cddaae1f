// Creates and reads topics of a Kafka, mock or real, for tests. The functions block while they wait
// for the broker, for some seconds at most. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tidegate {

struct KafkaMessage {
  int32_t partition = 0;
  int64_t offset = 0;
  std::string key;
  std::string value;
  std::map<std::string, std::string> headers;
  // Milliseconds since 1970; -1 if the message has no timestamp.
  int64_t timestamp_ms = -1;
};

// Returns all messages of the topic, partition by partition, oldest first.
std::vector<KafkaMessage> ReadTopic(const std::string& bootstrap_servers, const std::string& topic);

// Creates a topic. `config` holds settings as in kafka-topics --config. Returns an empty string, or
// the broker's reason for its refusal. Mock brokers do not support this.
std::string MakeTopic(const std::string& bootstrap_servers, const std::string& topic,
                      int partitions, const std::map<std::string, std::string>& config);

}  // namespace tidegate
