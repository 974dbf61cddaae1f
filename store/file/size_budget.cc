#include "store/file/size_budget.h"

#include <algorithm>

#include "core/check.h"
#include "core/quantity.h"

namespace tidegate {
namespace {

constexpr uint64_t kKiB = 1024;
constexpr uint64_t kMiB = 1024 * kKiB;

// The log's index (the -shm file) grows by 32 KiB for each 4,096 frames; the first holds 34 fewer.
uint64_t IndexBytes(uint64_t log_bytes) {
  return (log_bytes / kFrameBytes / 4062 + 1) * 32 * kKiB;
}

}  // namespace

Result<SizeBudget> SizeBudget::For(uint64_t max_bytes) {
  if (max_bytes < kMinStoreBytes) {
    return Error{ErrorCode::kInvalid, "store limit " + FormatBytes(max_bytes) +
                                          " is under the least of " + FormatBytes(kMinStoreBytes)};
  }
  SizeBudget budget;
  budget.log_bytes = std::clamp(max_bytes / 8, 256 * kKiB, 8 * kMiB);
  // A larger log means fewer checkpoints, but a longer recovery and more memory for its index.
  budget.log_reserve_bytes = std::min(budget.log_bytes, 2 * kMiB);
  budget.checkpoint_bytes = budget.log_reserve_bytes / 2;
  budget.transaction_bytes = budget.log_reserve_bytes / 4;
  budget.row_bytes = RowBytesIn(budget.transaction_bytes / kFrameBytes);
  budget.snapshot_bytes = budget.log_reserve_bytes / 8;
  budget.deletes = budget.log_reserve_bytes / kFrameBytes / 16;
  budget.growth_pages = std::min(max_bytes / 16, kMiB) / kPageBytes;
  budget.reserve_pages = 64 + PagesForRow(budget.snapshot_bytes);
  budget.database_pages =
      (max_bytes - budget.log_bytes - IndexBytes(budget.log_bytes)) / kPageBytes;
  CHECK(budget.database_pages * kPageBytes + budget.log_bytes + IndexBytes(budget.log_bytes) <=
            max_bytes,
        "the shares add up to no more than the limit");
  CHECK(budget.log_reserve_bytes <= budget.log_bytes, "the log owns no more than its share");
  CHECK(budget.transaction_bytes + budget.snapshot_bytes <= budget.checkpoint_bytes,
        "an append with its snapshot fits into the log before a checkpoint");
  CHECK(budget.deletes > 0 && budget.growth_pages > 0, "deletes and growth advance");
  CHECK(budget.reserve_pages < budget.database_pages, "appends have room beside the reserve");
  return budget;
}

}  // namespace tidegate
