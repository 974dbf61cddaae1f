// Puts a new store in the place of a damaged or foreign file, with all that could be read of it:
// store/README.md, "Damage". Private to store/; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/file/store_handle.h"
#include "store/format/batch_codec.h"
#include "store/format/gap_record.h"
#include "store/salvage/set_aside.h"
#include "store/salvage/store_scan.h"

namespace tidegate {

struct SalvageOrder {
  const StoreFile& file;  // What is damaged.
  GapOrigin origin;       // Epoch: empty if the caller has not read it.
  std::string tenant;     // Of the records that tell of it.
  ClockStamp stamp;
  Seq next_seq = 0;      // Behind the last seq that was given out; 0: the caller does not know.
  bool with_log = true;  // False: the log belongs to another store.
  std::string why;       // For people.
};

struct SalvageReport {
  std::string path;  // Where the damaged file lies now.
  Aside aside = Aside::kDamaged;
  uint64_t batches = 0;
  uint64_t records = 0;
  uint64_t letters = 0;
  uint64_t unsure = 0;   // Of the batches: may have been delivered before.
  uint64_t left = 0;     // Records that there was no room for; they lie in the file at `path`.
  uint64_t renamed = 0;  // Records whose epoch is not known: they have new ids.
  std::vector<LostSeqs> lost;  // Also those of `left` that had not been delivered.

  // One line for people, without the reason.
  std::string Summary() const;
};

// REQUIRES: nobody has the file open. The batches keep their keys and their ids. kInvalid: a later
// version wrote it; it stays untouched. kUnavailable, kFull: neither is changed; try again later.
Result<SalvageReport> Salvage(const SalvageOrder& order, BatchCodec& codec);

}  // namespace tidegate
