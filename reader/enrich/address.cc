#include "reader/enrich/address.h"

#include <algorithm>
#include <array>

namespace tidegate::reader {

namespace {
struct Range {
  std::array<uint8_t, 4> network;
  int bits;
};
constexpr std::array<Range, 14> kNotPublic{{{{0, 0, 0, 0}, 8},
                                            {{10, 0, 0, 0}, 8},
                                            {{100, 64, 0, 0}, 10},
                                            {{127, 0, 0, 0}, 8},
                                            {{169, 254, 0, 0}, 16},
                                            {{172, 16, 0, 0}, 12},
                                            {{192, 0, 0, 0}, 24},
                                            {{192, 0, 2, 0}, 24},
                                            {{192, 168, 0, 0}, 16},
                                            {{198, 18, 0, 0}, 15},
                                            {{198, 51, 100, 0}, 24},
                                            {{203, 0, 113, 0}, 24},
                                            {{224, 0, 0, 0}, 4},
                                            {{240, 0, 0, 0}, 4}}};

bool Within(std::span<const uint8_t> address, const Range& range) {
  for (int bit = 0; bit < range.bits; ++bit) {
    const auto difference = static_cast<unsigned>(address[bit / 8] ^ range.network[bit / 8]);
    if (difference & (0x80u >> (bit % 8))) return false;
  }
  return true;
}

bool IsPublicV4(std::span<const uint8_t> address) {
  return std::ranges::none_of(kNotPublic,
                              [&](const Range& range) { return Within(address, range); });
}

bool StartsWith(std::span<const uint8_t> address, std::initializer_list<uint8_t> prefix) {
  return std::ranges::equal(address.first(prefix.size()), prefix);
}

bool IsPublicV6(std::span<const uint8_t> address) {
  // 64:ff9b::/96 (translation) and 2002::/16 (6to4) hold an IPv4 address.
  if (StartsWith(address, {0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0}))
    return IsPublicV4(address.subspan(12));
  if (StartsWith(address, {0x20, 0x02})) return IsPublicV4(address.subspan(2, 4));
  if (StartsWith(address, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}))
    return IsPublicV4(address.subspan(12));
  // Teredo, ORCHID and documentation.
  if (StartsWith(address, {0x20, 0x01, 0x0d, 0xb8}) || StartsWith(address, {0x20, 0x01, 0x00}) ||
      StartsWith(address, {0x20, 0x01, 0x01}))
    return false;
  // The public network is 2000::/3.
  return (address[0] & 0xe0) == 0x20;
}
}  // namespace

bool IsPublicAddress(std::span<const uint8_t> address) {
  if (address.size() == 4) return IsPublicV4(address);
  return address.size() == 16 && IsPublicV6(address);
}

}  // namespace tidegate::reader
