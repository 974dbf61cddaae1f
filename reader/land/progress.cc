#include "reader/land/progress.h"

#include <utility>

#include "core/check.h"

namespace tidegate::reader {

Progress::Progress(std::string database, Parts parts)
    : database_(std::move(database)),
      parts_(parts),
      losses_(database_, parts.projections, parts.log),
      jumps_(parts.source, losses_, parts.log),
      epochs_(database_, {parts.source, parts.projections, parts.clock, parts.log}) {}

Status Progress::Store(std::span<const Position> positions, WallTime now) {
  if (positions.empty()) return {};
  for (const Position& position : positions)
    CHECK(jumps_.HasSeen(position), "a stored position covers delivered messages only");
  const auto next = epochs_.Name(positions, now);
  if (!next.ok()) return next.error();
  CHECK(next->size() <= positions.size(), "a partition has one position");
  if (Status status = jumps_.RecordLosses(now); !status.ok()) return status;
  if (Status status = parts_.projections.WritePositions(database_, *next, now); !status.ok())
    return status;
  epochs_.OnStored(positions);
  parts_.source.StoreOffsets(positions);
  return {};
}

void Progress::Forget(std::span<const Partition> partitions) {
  jumps_.Forget(partitions);
  epochs_.Forget(partitions);
}

}  // namespace tidegate::reader
