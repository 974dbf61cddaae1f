#include "reader/land/status_board.h"

#include <utility>

#include "core/check.h"

namespace tidegate::reader {

void StatusBoard::Post(size_t worker, MemberState state) {
  const MutexLock lock(mutex_);
  CHECK(worker < states_.size(), "a member posts to its place on the board");
  states_[worker] = std::move(state);
}

std::vector<MemberState> StatusBoard::Read() const {
  const MutexLock lock(mutex_);
  return states_;
}

}  // namespace tidegate::reader
