#include "reader/serve/cursor.h"

#include <fmt/format.h>

#include <charconv>

#include "core/utf8.h"

namespace tidegate::reader {

namespace {
constexpr size_t kNumberDigits = 16;
constexpr size_t kMaxIdBytes = 1'024;
// The years 1 to 9999: beyond them databases disagree.
constexpr int64_t kFirst = -62'135'596'800'000;
constexpr int64_t kLast = 253'402'300'799'999;

template <typename Number>
std::optional<Number> FromHex(std::string_view digits) {
  Number number = 0;
  const char* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, number, 16);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return number;
}
}  // namespace

std::string EncodeCursor(const Place& place, uint64_t list) {
  const auto time = static_cast<uint64_t>(place.time.time_since_epoch().count());
  std::string text = fmt::format("{:016x}{:016x}", list, time);
  for (unsigned char c : place.id) text += fmt::format("{:02x}", c);
  return text;
}

std::optional<Place> DecodeCursor(std::string_view text, uint64_t list) {
  if (text.size() < 2 * kNumberDigits || text.size() % 2 != 0 ||
      text.size() > 2 * (kNumberDigits + kMaxIdBytes)) {
    return std::nullopt;
  }
  const auto of_list = FromHex<uint64_t>(text.substr(0, kNumberDigits));
  const auto time = FromHex<uint64_t>(text.substr(kNumberDigits, kNumberDigits));
  if (!of_list || *of_list != list || !time) return std::nullopt;
  const auto milliseconds = static_cast<int64_t>(*time);
  if (milliseconds < kFirst || milliseconds > kLast) return std::nullopt;
  Place place{WallTime(std::chrono::milliseconds(milliseconds)), {}};
  for (size_t at = 2 * kNumberDigits; at < text.size(); at += 2) {
    const auto byte = FromHex<unsigned char>(text.substr(at, 2));
    if (!byte) return std::nullopt;
    place.id.push_back(static_cast<char>(*byte));
  }
  if (!IsUtf8(place.id)) return std::nullopt;
  return place;
}

}  // namespace tidegate::reader
