// Durations and sizes as people write them in a configuration. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate {

// A number and a unit: ms, s, m, h, d, as in 200ms, 1.5s, 5m. nullopt: anything else, negative, or
// over 10,000 days.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);
// The shortest exact form that ParseDuration reads back: 200ms, 90s, 5m.
std::string FormatDuration(std::chrono::milliseconds duration);

// A whole number of bytes with an optional unit: B, kB, MB, GB (1000) or KiB, MiB, GiB (1024).
// nullopt: anything else or over 2^62.
std::optional<uint64_t> ParseBytes(std::string_view text);
// The shortest exact form that ParseBytes reads back: 256MiB, 4096B.
std::string FormatBytes(uint64_t bytes);

}  // namespace tidegate
