// The record that stands for records given up: core/wire/FORMAT.md, "gap". Pure.
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
  RecordClass record_class = RecordClass::kHeartbeat;  // Of the records given up.
  std::string_view reason;                             // One of the constants above.
  Seq first_seq = 0;
  Seq last_seq = 0;
  uint64_t count = 0;  // This tenant's records between the two, both included.
};

struct GapOrigin {
  std::string gateway;  // Passes IsAssetName.
  std::string epoch;
};

// The record's time is that of `stamp`, its asset the gateway.
Record MakeGapRecord(const Gap& gap, const GapOrigin& origin, const ClockStamp& stamp);

}  // namespace tidegate
