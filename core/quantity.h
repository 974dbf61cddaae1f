// Durations and sizes as people write them in a configuration. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate {

// Reads a number and a unit (ms, s, m, h, d), as in 200ms, 1.5s or 5m. nullopt: anything else, a
// negative number, or more than 10,000 days.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);
// Returns the duration in the largest unit that is exact: 200ms, 90s, 5m. ParseDuration() reads it
// back.
std::string FormatDuration(std::chrono::milliseconds duration);

// Reads a whole number of bytes with an optional unit: B; kB, MB, GB (powers of 1000); KiB, MiB,
// GiB (powers of 1024). nullopt: anything else, or more than 2^62 bytes.
std::optional<uint64_t> ParseBytes(std::string_view text);
// Returns the size in the first of GiB, MiB, KiB, GB, MB, kB and B that is exact: 256MiB, 1MB.
// ParseBytes() reads it back.
std::string FormatBytes(uint64_t bytes);

}  // namespace tidegate
