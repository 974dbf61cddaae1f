#include "reader/consume/source.h"

namespace tidegate::reader {

std::string PartitionName(const Partition& partition) {
  return partition.topic + "/" + std::to_string(partition.number);
}

}  // namespace tidegate::reader
