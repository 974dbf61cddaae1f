// Serializes protobuf messages field by field, for tests that must not rely on the library under
// test.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace tidegate {

class Proto {
 public:
  Proto& Varint(uint32_t field, uint64_t value) {
    Number(uint64_t{field} << 3);
    Number(value);
    return *this;
  }
  // A string, bytes, a packed list or a sub-message.
  Proto& Text(uint32_t field, std::string_view value) {
    Number(uint64_t{field} << 3 | 2);
    Number(value.size());
    bytes_ += value;
    return *this;
  }
  Proto& Double(uint32_t field, double value) {
    Number(uint64_t{field} << 3 | 1);
    Fixed(std::bit_cast<uint64_t>(value), 8);
    return *this;
  }
  Proto& Float(uint32_t field, float value) {
    Number(uint64_t{field} << 3 | 5);
    Fixed(std::bit_cast<uint32_t>(value), 4);
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  void Number(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }
  void Fixed(uint64_t value, int count) {
    for (int i = 0; i < count; ++i) bytes_.push_back(static_cast<char>(value >> (8 * i)));
  }

  std::string bytes_;
};

}  // namespace tidegate
