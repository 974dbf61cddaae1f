// The gap record, which declares records that were dropped: core/wire/FORMAT.md, "gap". Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/record.h"
#include "store/store.h"

namespace tidegate {

inline constexpr std::string_view kGapStoreFull = "store full";
inline constexpr std::string_view kGapDamaged = "damaged";
inline constexpr std::string_view kGapLettersFull = "dead letters full";
// In place of a class: dead letters were dropped, which have no seqs.
inline constexpr std::string_view kGapOfLetters = "dead_letter";

struct Gap {
  std::string tenant;
  // Class of the dropped records; nullopt: dead letters.
  std::optional<RecordClass> record_class = RecordClass::kHeartbeat;
  // One of the reasons above.
  std::string_view reason;
  Seq first_seq = 0;
  Seq last_seq = 0;
  // Dropped letters, or dropped records of this tenant from first_seq to last_seq.
  uint64_t count = 0;
};

struct GapOrigin {
  // REQUIRES: passes IsAssetName.
  std::string gateway;
  std::string epoch;
};

// Returns the gap record. REQUIRES: first_seq <= last_seq. Its time is that of `stamp`, its asset
// the gateway.
Record MakeGapRecord(const Gap& gap, const GapOrigin& origin, const ClockStamp& stamp);

}  // namespace tidegate
