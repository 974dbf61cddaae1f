#include "reader/land/status_board.h"

#include <cassert>
#include <utility>

namespace tidegate::reader {

void StatusBoard::Post(size_t worker, WorkerState state) {
  const MutexLock lock(mutex_);
  assert(worker < states_.size());
  states_[worker] = std::move(state);
}

std::vector<WorkerState> StatusBoard::Read() const {
  const MutexLock lock(mutex_);
  return states_;
}

}  // namespace tidegate::reader
