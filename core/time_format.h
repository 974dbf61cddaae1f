// Points in time as text and back. Pure. The format is RFC 3339 with milliseconds and Z, as in
// 2025-06-23T00:37:01.000Z.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"

namespace tidegate {

// Always 24 characters; years outside 0000..9999 are clamped.
std::string FormatTime(WallTime time);

// Accepts date, 'T' or a space, time, an optional fraction of any length (cut to ms), and 'Z' or
// +hh:mm, +hhmm, +hh. A time without a zone is UTC. nullopt: not such a time, or a day or hour that
// does not exist.
std::optional<WallTime> ParseTime(std::string_view text);

// A Unix time as devices send it: seconds when below 1e11 (the year 5138), else milliseconds.
// nullopt: negative or beyond the year 9999.
std::optional<WallTime> TimeFromEpoch(double value);

}  // namespace tidegate
