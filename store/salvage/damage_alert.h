// The alert of the gateway about its own store: core/wire/FORMAT.md, "alert". Pure.
#pragma once

#include <string>
#include <vector>

#include "core/record.h"
#include "store/store.h"

namespace tidegate {

struct DamageAlert {
  // REQUIRES: passes IsAssetName.
  std::string gateway;
  std::string tenant;
  ClockStamp stamp;
  // For people.
  std::string message;
};

// Returns the alert raised and, because the new store works, cleared in the same moment.
std::vector<Record> MakeDamageAlerts(const DamageAlert& alert);

}  // namespace tidegate
