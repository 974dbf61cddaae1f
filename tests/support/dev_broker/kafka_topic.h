// Topics of any Kafka, mock or real, for tests: make one, read all of one. These wait for the
// broker, seconds at most.
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
  int64_t timestamp_ms = -1;
};

// All that the partitions of the topic hold, partition by partition, oldest first.
std::vector<KafkaMessage> ReadTopic(const std::string& bootstrap_servers, const std::string& topic);

// `config` as in kafka-topics --config. Empty: made; else the broker's reason. Not for mock
// brokers.
std::string MakeTopic(const std::string& bootstrap_servers, const std::string& topic,
                      int partitions, const std::map<std::string, std::string>& config);

}  // namespace tidegate
