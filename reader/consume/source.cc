#include "reader/consume/source.h"

namespace tidegate::reader {

std::string PartitionName(const Partition& partition) {
  return partition.topic + "/" + std::to_string(partition.number);
}

Status Source::Seek(const Partition&, int64_t) {
  return Error{ErrorCode::kUnavailable, "this source cannot seek"};
}

std::string PartitionName(const Partition& partition, int64_t epoch) {
  return epoch == 0 ? PartitionName(partition)
                    : PartitionName(partition) + "@" + std::to_string(epoch);
}

}  // namespace tidegate::reader
