#include "store/format/checksum.h"

#include <xxhash.h>

#include <cstdint>

namespace tidegate {

void AppendChecksum(std::string& bytes) {
  const uint64_t sum = XXH64(bytes.data(), bytes.size(), 0);
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<char>(sum >> shift));
}

std::optional<std::string_view> CheckedBytes(std::string_view bytes) {
  if (bytes.size() < kChecksumBytes) return std::nullopt;
  const std::string_view summed = bytes.substr(0, bytes.size() - kChecksumBytes);
  uint64_t sum = 0;
  for (size_t i = 0; i < kChecksumBytes; ++i) {
    sum |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[summed.size() + i])) << (8 * i);
  }
  if (XXH64(summed.data(), summed.size(), 0) != sum) return std::nullopt;
  return summed;
}

}  // namespace tidegate
