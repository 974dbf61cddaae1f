// What the store knows of its file without reading it, as of one transaction. A transaction changes
// a copy, which replaces the book's when the commit has succeeded. Private to store/; pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/clock.h"
#include "store/file/batch_table.h"
#include "store/format/store_totals.h"
#include "store/transaction/gap_ledger.h"

namespace tidegate {

struct StoreContents {
  StoreTotals totals;
  // The totals recorded in the file; nullopt if the row that held them was deleted, or if they were
  // damaged.
  std::optional<StoreTotals> saved;
  // The row of table batch that holds `saved`; 0 if table state does.
  BatchKey totals_key = 0;
  // Dead letters that the last transaction dropped, and those that it truncated.
  uint64_t letters_dropped = 0;
  uint64_t letters_truncated = 0;
  // Dropped dead letters that no gap record declares yet, and the same number in the file.
  uint64_t letters_undeclared = 0;
  uint64_t letters_undeclared_saved = 0;
  // When this process last declared some.
  std::optional<BootTime> letters_declared_at;
  // Every record up to this seq is in a snapshot that no failed commit can take back, or needs
  // none. Records after it stay stored for replay.
  Seq covered = 0;
  // Index into kStateSnapshots of the newest snapshot.
  size_t snapshot_slot = 0;
  // Batches of replayable classes that were appended after the newest snapshot.
  uint64_t batches_after_snapshot = 0;
  GapLedger gaps;
};

// Returns true if batches of the class are input of the fold.
constexpr bool IsReplayable(RecordClass record_class) {
  return record_class >= RecordClass::kHeartbeat;
}

}  // namespace tidegate
