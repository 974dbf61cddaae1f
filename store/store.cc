#include "store/store.h"

#include <numeric>

namespace tidegate {

uint64_t StoreUsage::total_records() const {
  return std::accumulate(records.begin(), records.end(), uint64_t{0});
}

}  // namespace tidegate
