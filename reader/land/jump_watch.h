// Notices when Kafka has deleted messages before they were read: the next message's offset is
// beyond the expected one, and so is the earliest that the partition still holds. Offsets that
// compaction or transactions leave out are no loss: the partition still begins before them. One
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "core/log.h"
#include "reader/consume/source.h"
#include "reader/database/projection_store.h"

namespace tidegate::reader {

// The offsets [expected, seen) of a partition.
struct Jump {
  Partition partition;
  int64_t expected;
  int64_t seen;
};

// Knows where an earlier reader stood, and what is done about what was lost.
class JumpKeeper {
 public:
  virtual ~JumpKeeper() = default;
  // What is expected first of each partition, by its name; one of which nothing was ever read is
  // left out. kUnavailable: ask again.
  virtual Result<Offsets> Expected(std::span<const Partition> partitions) = 0;
  // kUnavailable: the same again later.
  virtual Status Record(std::span<const Jump> lost, WallTime now) = 0;
};

class JumpWatch {
 public:
  // All of them must outlive the watch.
  JumpWatch(Source& source, JumpKeeper& keeper, const Log& log)
      : source_(source), keeper_(keeper), log_(log) {}

  void OnMessage(const Partition& partition, int64_t offset);
  // Records the losses in front of what was seen since the last time, before positions move past
  // them. kUnavailable: the keeper's; nothing is forgotten. A broker that does not tell its
  // earliest offset holds nothing up: it is asked again the next time.
  Status Settle(WallTime now);
  void Forget(std::span<const Partition> partitions);

 private:
  Status ExpectFirst();

  Source& source_;
  JumpKeeper& keeper_;
  const Log& log_;
  std::map<Partition, int64_t> expected_;
  std::map<Partition, int64_t> first_;  // Seen, of partitions of which nothing was expected yet.
  std::vector<Jump> jumps_;
};

}  // namespace tidegate::reader
