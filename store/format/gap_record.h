// The gap record, which declares records that were dropped: core/wire/FORMAT.md, "gap". Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/record.h"
#include "store/store.h"

namespace tidegate {

inline constexpr std::string_view kGapStoreFull = "store full";
inline constexpr std::string_view kGapDamaged = "damaged";

struct Gap {
  std::string tenant;
  // Class of the dropped records.
  RecordClass record_class = RecordClass::kHeartbeat;
  // One of the constants above.
  std::string_view reason;
  Seq first_seq = 0;
  Seq last_seq = 0;
  // Dropped records of this tenant from first_seq to last_seq.
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
