// What the URI of a simulated input says: sim:?assets=100&rate=10. Pure.
#pragma once

#include <cstdint>

#include "core/result.h"
#include "drivers/driver.h"
#include "drivers/sim/fleet.h"
#include "drivers/uri.h"

namespace tidegate {

struct SimOptions {
  FleetOptions fleet;
  double rate = 10;    // Heartbeats a second of the whole fleet; 0: as many as there is room for.
  uint64_t count = 0;  // Ends after this many; 0: never.
  Input input;
};

// kInvalid: everything that is wrong, joined by "; ". The names of the query are assets, rate,
// seed, count, tenant and kind; others are refused. The tenant is demo unless one is given.
Result<SimOptions> ParseSimOptions(const Input& input, const Uri& uri);

}  // namespace tidegate
