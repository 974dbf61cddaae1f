// The epochs of partitions. A partition's log may begin anew under its name: the topic was deleted
// and made again, or the cluster is another one. Offsets then mean other messages than before. The
// epoch numbers these logs: 0 for the first one that was read. It rises when a message comes from
// before the landing's position and the log ends before that position, too.
//
// The landing's positions hold it: "<topic>/<number>@" is the epoch, and each epoch has a position
// under PartitionName(partition, epoch). All of them only move forward.
//
// Known limit: a new log that has grown past the old position before anybody reads it is not
// noticed. Thread: one.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "core/result.h"
#include "reader/consume/log_ends.h"
#include "reader/consume/source.h"
#include "reader/database/document.h"
#include "reader/database/projection_store.h"

namespace tidegate::reader {

struct LogPosition {
  int64_t epoch = 0;
  // In the epoch's log. 0: nothing of it has landed.
  int64_t next_offset = 0;
};
using LogPositions = std::map<Partition, LogPosition>;

// Returns a position for each partition. Errors are the store's.
Result<LogPositions> ReadLogPositions(ProjectionStore& store, const std::string& database,
                                      std::span<const Partition> partitions);

class PartitionEpochs {
 public:
  // All of them must outlive the object.
  struct Parts {
    Source& source;
    ProjectionStore& projections;
    const Clock& clock;
    const Log& log;
  };

  // `database` holds the positions.
  PartitionEpochs(std::string database, Parts parts)
      : database_(std::move(database)), parts_(parts), ends_(parts.source, parts.clock) {}

  // Notes that a message was delivered.
  void OnMessage(const Partition& partition, int64_t offset);
  // Sets the epoch of documents that have none yet, and lengthens the ids that are made of their
  // places. Raises epochs. kUnavailable: the database; call again.
  Status Label(std::span<Document> documents, WallTime now);
  // Returns the epoch of a message that is no document. As Label().
  Result<int64_t> Of(const Partition& partition, int64_t offset, WallTime now);
  // Returns the names and offsets of these positions in the present epochs, raised if need be. A
  // position that is beyond the end of the present log belongs to the previous one and is left out.
  // kUnavailable as for Label().
  Result<Offsets> Name(std::span<const Position> positions, WallTime now);
  // Notes that these positions are stored.
  void OnStored(std::span<const Position> positions);
  void Forget(std::span<const Partition> partitions);

  // How often an epoch has risen here.
  uint64_t raised() const { return raised_; }

 private:
  struct Known {
    LogPosition position;
    // The offset that was delivered last.
    int64_t newest = -1;
    // The position was read.
    bool is_read = false;
    // The log is the one that the position is about.
    bool is_verified = false;
  };

  Status ReadUnknown(std::span<const Partition> partitions);
  // Returns the epoch of the message. REQUIRES: the partition's position was read.
  Result<int64_t> EpochOf(const Partition& partition, int64_t offset, WallTime now);
  Status Raise(const Partition& partition, Known& known, int64_t end, WallTime now);

  const std::string database_;
  Parts parts_;
  LogEnds ends_;
  std::map<Partition, Known> known_;
  uint64_t raised_ = 0;
};

}  // namespace tidegate::reader
