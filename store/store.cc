#include "store/store.h"

#include <numeric>

namespace tidegate {

ClockStamp StampNow(const Clock& clock) {
  ClockStamp stamp;
  stamp.boot_id = clock.BootId();
  // First: a clock that is synchronised is right when it is read after.
  stamp.synced = clock.Synced();
  stamp.since_boot = clock.SinceBoot();
  stamp.wall = clock.Now();
  return stamp;
}

uint64_t StoreUsage::total_records() const {
  return std::accumulate(records.begin(), records.end(), uint64_t{0});
}

}  // namespace tidegate
