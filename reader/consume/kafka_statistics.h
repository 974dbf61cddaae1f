// What the reader wants to know out of librdkafka's statistics (STATISTICS.md there). Pure.
#pragma once

#include <string_view>
#include <vector>

#include "reader/consume/source.h"

namespace tidegate::reader {

struct KafkaStatistics {
  bool brokers_up = false;  // At least one broker is connected.
  // Partitions whose end is known, in the topic's order. Behind what is stored, or behind what is
  // committed.
  std::vector<PartitionLag> lag;
};
// Text that is not such statistics reads as nothing known.
KafkaStatistics ReadStatistics(std::string_view json);

}  // namespace tidegate::reader
