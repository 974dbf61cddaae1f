// The alert of the gateway about its own store: core/wire/FORMAT.md, "alert". Pure.
#pragma once

#include <string>
#include <vector>

#include "core/record.h"
#include "store/store.h"

namespace tidegate {

struct DamageAlert {
  std::string gateway;  // Passes IsAssetName.
  std::string tenant;
  ClockStamp stamp;
  std::string message;  // For people.
};

// Raised and, because the new store works, cleared in the same moment.
std::vector<Record> MakeDamageAlerts(const DamageAlert& alert);

}  // namespace tidegate
