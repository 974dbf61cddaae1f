// What a projector knows of the landing's positions. A message has landed when it is before the
// position of its partition, and the log is the one that the position is about: while a new log
// ends before the position of the old one, its messages wait for the landing to notice it
// (partition_epochs.h). One thread.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "reader/consume/log_ends.h"
#include "reader/consume/source.h"
#include "reader/database/projection_store.h"
#include "reader/land/partition_epochs.h"

namespace tidegate::reader {

class LandedPositions {
 public:
  // `database` holds the positions. All of them must outlive the object.
  LandedPositions(std::string database, Source& source, ProjectionStore& projections,
                  const Clock& clock)
      : database_(std::move(database)), projections_(projections), ends_(source, clock) {}

  // Notes that a message was buffered.
  void OnMessage(const Partition& partition, int64_t offset);
  // Reads the positions again that a buffered message is not before. kUnavailable: the database
  // does not answer, or a rebuild is under way. Waits for at most one broker that does not answer.
  Status Read();
  bool HasLanded(const Partition& partition, int64_t offset) const;
  // The name under which projections know the partition. REQUIRES: one of its messages has landed.
  std::string NameOf(const Partition& partition) const;
  int64_t EpochOf(const Partition& partition) const;
  // The highest offset that was buffered, or -1.
  int64_t NewestOf(const Partition& partition) const;
  // The partitions whose epoch has risen while messages were buffered, which may be in the previous
  // log. None of them has landed until Forget().
  std::vector<Partition> Risen() const;
  void Forget(const Partition& partition) {
    known_.erase(partition);
    ends_.Forget(partition);
  }
  void ForgetAll() {
    known_.clear();
    ends_.ForgetAll();
  }

 private:
  struct Known {
    LogPosition position;
    bool is_read = false;
    // The epoch was another one when the position was read before.
    bool has_risen = false;
    // The log does not end before the position.
    bool is_verified = false;
    // The highest offset that was buffered.
    int64_t newest = -1;
  };
  // Compares unverified positions with the ends of their logs, until a broker does not answer.
  // Those of which nobody has answered lately come last.
  void Verify();

  const std::string database_;
  ProjectionStore& projections_;
  LogEnds ends_;
  std::map<Partition, Known> known_;
};

}  // namespace tidegate::reader
