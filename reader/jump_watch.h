// Notices when Kafka has deleted messages before they had landed: the next message's offset is
// beyond the expected one, and so is the earliest that the partition still holds. Offsets that
// compaction or transactions leave out are no loss: the partition still begins before them. One
// thread.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/log.h"
#include "reader/landing/projection_store.h"
#include "reader/source.h"

namespace tidegate::reader {

class JumpWatch {
 public:
  // All of them must outlive the watch.
  JumpWatch(std::string database, Source& source, ProjectionStore& projections, const Log& log)
      : database_(std::move(database)), source_(source), projections_(projections), log_(log) {}

  void OnMessage(const Partition& partition, int64_t offset);
  // Records the losses in front of what was seen since the last time, before positions move past
  // them. kUnavailable: the database is away, nothing is forgotten. A broker that does not tell its
  // earliest offset holds nothing up: it is asked again the next time.
  Status Settle(WallTime now);
  void Forget(std::span<const Partition> partitions);

  uint64_t lost() const { return lost_; }  // Offsets, since this object began.

 private:
  struct Jump {
    Partition partition;
    int64_t expected;
    int64_t seen;
  };

  // After a start the landing's position tells what was expected; without one, nothing was.
  Status ExpectFirst();
  Status Record(std::vector<Jump> lost, WallTime now);

  const std::string database_;
  Source& source_;
  ProjectionStore& projections_;
  const Log& log_;
  std::map<Partition, int64_t> expected_;
  std::map<Partition, int64_t> first_;  // Seen, of partitions of which nothing was expected yet.
  std::vector<Jump> jumps_;
  uint64_t lost_ = 0;
};

}  // namespace tidegate::reader
