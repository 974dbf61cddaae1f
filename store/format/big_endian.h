// Reads numbers as SQLite's files hold them. Private to store/; pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace tidegate {

inline uint32_t Big16(const char* at) {
  return static_cast<uint32_t>(static_cast<uint8_t>(at[0])) << 8 | static_cast<uint8_t>(at[1]);
}
inline uint32_t Big32(const char* at) {
  return Big16(at) << 16 | Big16(at + 2);
}

// SQLite's variable-length integer: big-endian groups of seven bits, the ninth byte whole. Advances
// `bytes`; nullopt: they end early.
inline std::optional<uint64_t> TakeSqliteVarint(std::span<const char>& bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < 9; ++i) {
    if (i == bytes.size()) return std::nullopt;
    const auto byte = static_cast<uint8_t>(bytes[i]);
    if (i == 8) {
      value = value << 8 | byte;
    } else {
      value = value << 7 | (byte & 0x7f);
      if ((byte & 0x80) != 0) continue;
    }
    bytes = bytes.subspan(i + 1);
    return value;
  }
  return std::nullopt;
}

}  // namespace tidegate
