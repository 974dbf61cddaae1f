// The wall clock as the gateway's time zone shows it (TZ, else /etc/localtime), daylight saving
// time included. One thread: the C library keeps the zone.
#pragma once

#include <chrono>
#include <string>

#include "core/clock.h"

namespace tidegate {

// Since the last midnight, as a clock on the wall shows it: 0:00 to 23:59:59.
std::chrono::seconds LocalTimeOfDay(WallTime time);
// The beginning of the next local day.
WallTime NextLocalMidnight(WallTime time);
// The name of the zone at that time: CET, UTC, +03.
std::string LocalZoneName(WallTime time);

}  // namespace tidegate
