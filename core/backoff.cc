#include "core/backoff.h"

#include <algorithm>

namespace tidegate {

std::chrono::milliseconds Backoff::Next() {
  bound_ = bound_.count() == 0 ? options_.initial : bound_ * 2;
  bound_ = std::min(bound_, options_.max);
  std::uniform_int_distribution<int64_t> spread(bound_.count() / 2, bound_.count());
  return std::chrono::milliseconds(spread(random_));
}

}  // namespace tidegate
