// Reads the lag and the state of the brokers from librdkafka's statistics (its STATISTICS.md).
// Pure; any thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "reader/consume/source.h"

namespace tidegate::reader {

struct KafkaStatistics {
  // At least one broker is connected.
  bool brokers_up = false;
  // The assigned partitions whose end is known, in the text's order. The lag counts from the stored
  // offset, else from the committed one, else from the beginning of the partition.
  std::vector<PartitionLag> lag;
};
// nullopt: the text is no JSON, or about more than 30,000 partitions. Other text that is not such
// statistics reads as no broker and no lag.
std::optional<KafkaStatistics> ReadStatistics(std::string_view json);

}  // namespace tidegate::reader
