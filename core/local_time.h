// The wall clock in the gateway's time zone (TZ, else /etc/localtime), with daylight saving time.
// One thread, because the C library holds the zone in a global variable.
#pragma once

#include <chrono>
#include <string>

#include "core/clock.h"

namespace tidegate {

// Returns what a clock on the wall shows, as the time since midnight: 0:00 to 23:59:59.
std::chrono::seconds LocalTimeOfDay(WallTime time);
// Returns the beginning of the next local day, which is after `time`.
WallTime NextLocalMidnight(WallTime time);
// Returns the zone's name at that time, such as CET, UTC or +03.
std::string LocalZoneName(WallTime time);

}  // namespace tidegate
