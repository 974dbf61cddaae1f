// librdkafka's mock cluster for tests: it makes topics, writes messages and reads them. One thread;
// the brokers run on the library's threads.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reader/consume/source.h"

namespace tidegate::reader {

class MockKafka {
 public:
  explicit MockKafka(int brokers = 1);
  ~MockKafka();

  std::string bootstrap() const;
  void CreateTopic(const std::string& topic, int partitions);
  // Returns when the broker has stored the message.
  void Produce(const std::string& topic, int32_t partition, const std::optional<std::string>& value,
               const std::vector<std::pair<std::string, std::string>>& headers = {});
  // Returns all messages that are in the topic now.
  std::vector<SourceMessage> Read(const std::string& topic);
  // Returns the offset that the group has committed; -1: none.
  int64_t Committed(const std::string& group, const Partition& partition);
  // The next `times` produce requests are answered with "message too large".
  void RefuseAsTooLarge(int times);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tidegate::reader
