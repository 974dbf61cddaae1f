// Records how far the landing has come in each partition. The order is the promise: first the
// losses before a position, then the position in the database, then the offset that Kafka is to
// commit. So a projector may fold everything before the position, and a crash between two of the
// steps only repeats messages. One thread.
//
// Invariants, each with the check that guards it:
// - No position lies beyond the newest message that was delivered in its partition (Store).
// - A position is stored in the epoch of its partition's log (PartitionEpochs).
// - A loss is a span of at least one offset (JumpWatch::RecordLosses, OffsetLosses::Record).
// Offsets may go back while a partition is assigned, because Kafka may truncate it: no check.
#pragma once

#include <span>
#include <string>

#include "core/clock.h"
#include "core/log.h"
#include "core/result.h"
#include "reader/consume/source.h"
#include "reader/database/projection_store.h"
#include "reader/land/jump_watch.h"
#include "reader/land/offset_losses.h"
#include "reader/land/partition_epochs.h"

namespace tidegate::reader {

class Progress {
 public:
  // All of them must outlive the progress.
  struct Parts {
    Source& source;
    ProjectionStore& projections;
    const Clock& clock;
    const Log& log;
  };

  // `database` holds the positions and the losses.
  Progress(std::string database, Parts parts);

  // Notes that a message was delivered.
  void OnMessage(const Partition& partition, int64_t offset) {
    jumps_.OnMessage(partition, offset);
    epochs_.OnMessage(partition, offset);
  }
  // Sets the epochs of documents before they land. Errors as PartitionEpochs::Label().
  Status Label(std::span<Document> documents, WallTime now) {
    return epochs_.Label(documents, now);
  }
  // Returns the epoch of a message that is no document. Errors as PartitionEpochs::Label().
  Result<int64_t> EpochOf(const SourceMessage& message, WallTime now) {
    return epochs_.Of(message.partition, message.offset, now);
  }
  // Does all three steps. kUnavailable: the source has no new offset; call again, with these
  // positions or later ones. REQUIRES: every message before a position is done, and none of the
  // positions is beyond the newest message that OnMessage() reported since Forget().
  Status Store(std::span<const Position> positions, WallTime now);
  // Forgets partitions that are no longer assigned.
  void Forget(std::span<const Partition> partitions);
  // How often a log was found to have begun anew.
  uint64_t logs_begun_anew() const { return epochs_.raised(); }

 private:
  const std::string database_;
  Parts parts_;
  OffsetLosses losses_;
  JumpWatch jumps_;
  PartitionEpochs epochs_;
};

}  // namespace tidegate::reader
