// Replaces a damaged or foreign file by a new store with all that could be read of the old one:
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
  // The damaged file.
  const StoreFile& file;
  // The epoch is empty if the caller has not read it.
  GapOrigin origin;
  // Tenant of the gap records and alerts about the damage.
  std::string tenant;
  ClockStamp stamp;
  // The first seq that was never used; 0: the caller does not know.
  Seq next_seq = 0;
  // False: the log belongs to another store.
  bool with_log = true;
  // For people.
  std::string why;
};

struct SalvageReport {
  // Path at which the damaged file lies now.
  std::string path;
  Aside aside = Aside::kDamaged;
  // What was moved into the new store.
  uint64_t batches = 0;
  uint64_t records = 0;
  uint64_t letters = 0;
  // Moved batches that may have been delivered already.
  uint64_t unsure = 0;
  // Records that the new store had no room for; they are in the file at `path`.
  uint64_t left = 0;
  // Records whose epoch is unknown, so that they have new ids.
  uint64_t renamed = 0;
  // What is declared with gap records; includes the undelivered ones of `left`.
  std::vector<LostSeqs> lost;

  // Returns one line for people, without the reason.
  std::string Summary() const;
};

// Builds the new store and puts it in the place of the file, which is set aside. Batches keep their
// keys and their ids. kInvalid: a later version wrote the file; it stays unchanged. kUnavailable,
// kFull: nothing is changed; try again later. REQUIRES: this process does not have the file open.
Result<SalvageReport> Salvage(const SalvageOrder& order, BatchCodec& codec);

}  // namespace tidegate
