// The settings of one simulated input, and their parser from its URI: sim:?assets=100&rate=10.
// Pure; any thread.
#pragma once

#include <cstdint>

#include "core/result.h"
#include "drivers/driver.h"
#include "drivers/sim/fleet.h"
#include "drivers/uri.h"

namespace tidegate {

struct SimOptions {
  FleetOptions fleet;
  // Heartbeats a second of the whole fleet; 0: as many as there is room for.
  double rate = 10;
  // The input ends after this many heartbeats; 0: never.
  uint64_t count = 0;
  Input input;
};

// The names of the query are assets, rate, seed, count, tenant and kind; others are refused. The
// tenant is demo unless one is given. kInvalid: everything that is wrong, joined by "; ".
Result<SimOptions> ParseSimOptions(const Input& input, const Uri& uri);

}  // namespace tidegate
