// Notices when Kafka has deleted messages before they were read: the next message's offset is
// beyond the expected one, and so is the earliest offset that the partition still holds. Offsets
// that compaction or transactions leave out are no loss: the partition still begins before them.
// Known loss: what was deleted before anything was ever expected of a partition is not noticed.
// One thread.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "core/log.h"
#include "reader/consume/source.h"
#include "reader/database/projection_store.h"

namespace tidegate::reader {

// The offsets [expected, seen) of a partition. REQUIRES: expected < seen.
struct Jump {
  Partition partition;
  int64_t expected;
  int64_t seen;
};

// Supplies the positions at which an earlier reader ended, and records what was lost.
class JumpKeeper {
 public:
  virtual ~JumpKeeper() = default;
  // The next offset of each partition, by PartitionName(). A partition of which nothing was ever
  // read is left out. kUnavailable: ask again.
  virtual Result<Offsets> Expected(std::span<const Partition> partitions) = 0;
  // Records the losses; recording one twice is harmless. kUnavailable: record the same again later.
  virtual Status Record(std::span<const Jump> lost, WallTime now) = 0;
};

class JumpWatch {
 public:
  // All of them must outlive the watch.
  JumpWatch(Source& source, JumpKeeper& keeper, const Log& log)
      : source_(source), keeper_(keeper), log_(log) {}

  // Notes that a message was delivered.
  void OnMessage(const Partition& partition, int64_t offset);
  // True if a message at or after the last offset before `position` was delivered since Forget().
  bool HasSeen(const Position& position) const;
  // Records the losses before the messages that were delivered since the last call. Call it before
  // positions after them are stored. kUnavailable: the keeper's; call again, nothing is forgotten.
  // A broker that does not report its earliest offset delays nothing: it is asked again with the
  // next call.
  Status RecordLosses(WallTime now);
  // Forgets partitions that are no longer assigned. Logs their jumps that no broker has explained.
  void Forget(std::span<const Partition> partitions);

 private:
  Status ExpectFirst();

  Source& source_;
  JumpKeeper& keeper_;
  const Log& log_;
  // The offset after the newest message of each partition.
  std::map<Partition, int64_t> expected_;
  // The first offset of those partitions whose keeper has not been asked yet.
  std::map<Partition, int64_t> first_;
  // What may be lost and is not recorded yet.
  std::vector<Jump> jumps_;
};

}  // namespace tidegate::reader
