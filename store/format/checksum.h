// The checksum at the end of what the store writes: XXH64 with seed 0, little endian. Private to
// store/; pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tidegate {

inline constexpr size_t kChecksumBytes = 8;

// Appends the checksum of all of `bytes`.
void AppendChecksum(std::string& bytes);
// Returns the bytes without their checksum; nullopt: it does not match, or there is none.
std::optional<std::string_view> CheckedBytes(std::string_view bytes);

}  // namespace tidegate
