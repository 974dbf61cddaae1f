// Points in time as text and back. The format that is written is RFC 3339 with milliseconds and Z,
// as in 2025-06-23T00:37:01.000Z. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace tidegate {

// Returns 24 characters. A time outside the years 0000 to 9999 becomes the nearest one within.
std::string FormatTime(WallTime time);

// Accepts a date, 'T' or a space, a time, an optional fraction of any length (cut to ms), and 'Z',
// +hh:mm, +hhmm or +hh. A time without a zone is UTC. nullopt: anything else, or a day or hour that
// does not exist.
std::optional<WallTime> ParseTime(std::string_view text);

// Reads a Unix time as devices send it: seconds if below 1e11 (the year 5138), else milliseconds.
// nullopt: it is negative, no number, or after the year 9999.
std::optional<WallTime> TimeFromEpoch(double value);

}  // namespace tidegate
