// The alert of the gateway about its own store: core/wire/FORMAT.md, "alert". Pure.
#pragma once

#include <string>

#include "core/record.h"
#include "store/store.h"

namespace tidegate {

struct DamageAlert {
  // REQUIRES: passes IsAssetName.
  std::string gateway;
  std::string tenant;
  // When the record is written.
  ClockStamp stamp;
  // When the damage was found; both records of the alert carry it.
  WallTime since{};
  // For people.
  std::string message;
};

// Return the alert as it is raised when a new store has replaced a damaged one, and as it is
// cleared when everything was moved.
Record MakeDamageRaised(const DamageAlert& alert);
Record MakeDamageCleared(const DamageAlert& alert);

}  // namespace tidegate
