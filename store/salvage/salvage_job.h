// What has to survive a kill of a salvage that moves a damaged file into the store in steps: the
// row of table state that is written in the same transaction as what was moved. store/README.md,
// "Damage". Private to store/; pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/record.h"
#include "core/result.h"
#include "store/file/batch_table.h"

namespace tidegate {

// Prefix of the names of such rows in table state; what the file set aside is called follows.
inline constexpr std::string_view kStateSalvagePrefix = "salvage.";

struct SalvageJob {
  // In this order. Up to kBegin the file is only read.
  enum class Phase : uint64_t { kBegin, kLetters, kBatches, kLosses, kEnd };
  // Batches that no snapshot covers: the start needs them first, to restore the fold.
  enum class Replay : uint64_t { kNotNeeded, kDue, kMoved };

  // What follows the store's path in the damaged file's path: ".kept-20260101T000000Z".
  std::string aside_name;
  // Of the damaged store; empty: not known.
  std::string epoch;
  // For people: what is wrong with the file.
  std::string why;

  Phase phase = Phase::kBegin;
  // 0: the log beside the file belongs to another store.
  uint64_t with_log = 1;
  // Wall time of the replacement, Unix ms.
  uint64_t since_ms = 0;
  // Seqs from here on are the new store's own; 0: not known before the file was read.
  Seq end_seq = 0;
  // 1: the old store was in use, so that it had numbered exactly the seqs before `end_seq`.
  uint64_t end_is_exact = 0;

  Replay replay = Replay::kNotNeeded;
  // The heartbeats and readings after it are moved for replay, up to `replay_key` so far.
  Seq replay_after = 0;
  uint64_t replay_key = 0;
  // The last batch that was moved or declared as lost, apart from those.
  uint64_t last_key = 0;
  // Id of the last dead letter that was moved.
  uint64_t last_letter = 0;
  // Ranges of lost seqs that gap records declare already.
  uint64_t losses_declared = 0;

  // What was moved.
  uint64_t batches = 0;
  uint64_t records = 0;
  uint64_t letters = 0;
  // Moved batches that may have been delivered already.
  uint64_t unsure = 0;
  // Records that had no room; they are in the old file only.
  uint64_t left = 0;
  // Records whose epoch is unknown, so that they have new ids.
  uint64_t renamed = 0;
  // Most records that can be lost; 1 in `lost_unknown`: and others that nobody can count.
  uint64_t lost = 0;
  uint64_t lost_unknown = 0;
  // 1: something in the file is a store's.
  uint64_t is_store = 1;

  std::string RowName() const { return std::string(kStateSalvagePrefix) + aside_name; }
  // The highest first seq of the class that may be sent: later batches would overtake those that
  // are not moved yet.
  Seq SendableThrough(RecordClass record_class) const;
  // Returns one line for people about what was moved, without the reason.
  std::string Summary() const;

  friend bool operator==(const SalvageJob&, const SalvageJob&) = default;
};

std::string EncodeSalvageJob(const SalvageJob& job);
// `row_name` as RowName(). kCorrupt: damaged, of a later version, or with an impossible number.
Result<SalvageJob> DecodeSalvageJob(std::string_view row_name, std::string_view body);

}  // namespace tidegate
