// The landing's part of JumpWatch: what Kafka deleted before it had landed is told in the
// collection losses. One thread.
#pragma once

#include <string>
#include <utility>

#include "core/log.h"
#include "reader/land/jump_watch.h"

namespace tidegate::reader {

class OffsetLosses final : public JumpKeeper {
 public:
  // Both must outlive it.
  OffsetLosses(std::string database, ProjectionStore& projections, const Log& log)
      : database_(std::move(database)), projections_(projections), log_(log) {}

  // The landing's positions.
  Result<Offsets> Expected(std::span<const Partition> partitions) override;
  Status Record(std::span<const Jump> lost, WallTime now) override;

 private:
  const std::string database_;
  ProjectionStore& projections_;
  const Log& log_;
};

}  // namespace tidegate::reader
