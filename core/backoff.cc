#include "core/backoff.h"

#include <algorithm>

#include "core/check.h"

namespace tidegate {

Backoff::Backoff(Options options, uint64_t seed) : options_(options), random_(seed) {
  CHECK(options.initial.count() > 0 && options.max.count() > 0, "a wait has a length");
}

std::chrono::milliseconds Backoff::Next() {
  bound_ = bound_.count() == 0 ? options_.initial : bound_ * 2;
  bound_ = std::min(bound_, options_.max);
  std::uniform_int_distribution<int64_t> spread(bound_.count() / 2, bound_.count());
  return std::chrono::milliseconds(spread(random_));
}

}  // namespace tidegate
