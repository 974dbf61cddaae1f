#include "reader/consume/source.h"

namespace tidegate::reader {

std::string PartitionName(const Partition& partition) {
  return partition.topic + "/" + std::to_string(partition.number);
}

Status Source::Seek(const Partition&, int64_t) {
  return Error{ErrorCode::kUnavailable, "this source cannot seek"};
}

}  // namespace tidegate::reader
