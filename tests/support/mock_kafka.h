// librdkafka's mock cluster, with what a test wants of it: topics, messages in, messages out. One
// thread; brokers are the library's.
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
  // Returns when the broker has it.
  void Produce(const std::string& topic, int32_t partition, const std::optional<std::string>& value,
               const std::vector<std::pair<std::string, std::string>>& headers = {});
  // All that is in the topic now.
  std::vector<SourceMessage> Read(const std::string& topic);
  // What the group has committed; -1: nothing.
  int64_t Committed(const std::string& group, const Partition& partition);
  // The next produce request is answered with "message too large", `times` in a row.
  void RefuseAsTooLarge(int times);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tidegate::reader
