// Bounds one step of work on the loop: by time, and by pieces, because a test's clock may stand
// still. One thread.
#pragma once

#include <cstdint>

#include "core/clock.h"

namespace tidegate {

class StepLimit {
 public:
  static constexpr uint64_t kMaxPieces = 2048;

  // `clock` outlives the limit.
  StepLimit(const Clock& clock, BootTime deadline) : clock_(clock), deadline_(deadline) {}

  // Counts pieces of work that were done: pages, rows. True: the step ends here.
  bool IsSpent(uint64_t pieces = 1) {
    pieces_ += pieces;
    return pieces_ >= kMaxPieces || clock_.SinceBoot() >= deadline_;
  }

 private:
  const Clock& clock_;
  BootTime deadline_;
  uint64_t pieces_ = 0;
};

}  // namespace tidegate
