// Puts a new store in the place of a damaged or foreign file, in a bounded time: it has the values
// of Store::ReadValue; what else the file holds is moved later, by class Salvage. store/README.md,
// "Damage". Private to store/; one thread.
#pragma once

#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "store/file/store_handle.h"
#include "store/format/store_totals.h"
#include "store/salvage/salvage_job.h"

namespace tidegate {

struct ReplaceOrder {
  // The damaged file.
  const StoreFile& file;
  WallTime now{};
  // Next seq and delivered marks of the new store.
  StoreTotals totals;
  // What is known about the damaged file; its name aside follows from `now`.
  SalvageJob job;
  // Files that were damaged earlier and are not moved completely.
  std::vector<SalvageJob> others;
};

// Sets the file aside and returns the job that moves what it holds; the job is stored in the new
// store. kInvalid: a later version wrote the file; it stays unchanged. kUnavailable, kFull: nothing
// is changed; try again later. REQUIRES: this process does not have the file open.
Result<SalvageJob> ReplaceStore(const ReplaceOrder& order);

}  // namespace tidegate
