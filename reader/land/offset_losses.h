// Records in the collection `losses` what Kafka deleted before it had landed. One thread.
#pragma once

#include <string>
#include <utility>

#include "core/log.h"
#include "reader/land/jump_watch.h"

namespace tidegate::reader {

class OffsetLosses final : public JumpKeeper {
 public:
  // `database` holds positions and losses. Both references must outlive the object.
  OffsetLosses(std::string database, ProjectionStore& projections, const Log& log)
      : database_(std::move(database)), projections_(projections), log_(log) {}

  // Returns the landing's positions.
  Result<Offsets> Expected(std::span<const Partition> partitions) override;
  Status Record(std::span<const Jump> lost, WallTime now) override;

 private:
  const std::string database_;
  ProjectionStore& projections_;
  const Log& log_;
};

}  // namespace tidegate::reader
