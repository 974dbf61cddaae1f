// Variable-length integers (LEB128), and a bounded reader of untrusted bytes. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate {

// Appends 1 to 10 bytes.
inline void PutVarint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

// Maps integers of a small magnitude, of either sign, to small unsigned numbers.
inline uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
inline int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

// Appends the length as a varint, then the bytes.
inline void PutString(std::string& out, std::string_view text) {
  PutVarint(out, text.size());
  out.append(text);
}

// Reads `bytes`, which the caller keeps alive, from front to back. nullopt: they are used up, or
// are not what is asked for; a caller stops at the first nullopt.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  size_t offset() const { return offset_; }
  size_t left() const { return bytes_.size() - offset_; }

  std::optional<uint8_t> Byte() {
    if (left() == 0) return std::nullopt;
    return static_cast<uint8_t>(bytes_[offset_++]);
  }

  std::optional<uint64_t> Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = Byte();
      if (!byte) return std::nullopt;
      const uint64_t bits = *byte & 0x7f;
      if (shift == 63 && bits > 1) return std::nullopt;
      value |= bits << shift;
      if ((*byte & 0x80) == 0) return value;
    }
    return std::nullopt;
  }

  std::optional<std::string_view> Bytes(uint64_t size) {
    if (size > left()) return std::nullopt;
    const std::string_view bytes = bytes_.substr(offset_, size);
    offset_ += size;
    return bytes;
  }

  std::optional<std::string_view> String() {
    const auto size = Varint();
    if (!size) return std::nullopt;
    return Bytes(*size);
  }

 private:
  std::string_view bytes_;
  size_t offset_ = 0;
};

}  // namespace tidegate
