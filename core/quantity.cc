#include "core/quantity.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace tidegate {

namespace {
using std::chrono::milliseconds;

constexpr std::array<std::pair<std::string_view, int64_t>, 5> kDurationUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<std::pair<std::string_view, uint64_t>, 7> kByteUnits{{{"GiB", 1ULL << 30},
                                                                           {"MiB", 1ULL << 20},
                                                                           {"KiB", 1ULL << 10},
                                                                           {"GB", 1'000'000'000},
                                                                           {"MB", 1'000'000},
                                                                           {"kB", 1'000},
                                                                           {"B", 1}}};
constexpr uint64_t kMaxBytes = 1ULL << 62;
constexpr int64_t kMaxDuration = 10'000 * 86'400'000LL;
}  // namespace

std::optional<milliseconds> ParseDuration(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || !(number >= 0)) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  for (const auto& [name, factor] : kDurationUnits) {
    if (unit != name) continue;
    const double total = number * static_cast<double>(factor);
    if (total > static_cast<double>(kMaxDuration)) return std::nullopt;
    return milliseconds(std::llround(total));
  }
  return std::nullopt;
}

std::string FormatDuration(milliseconds duration) {
  for (const auto& [name, factor] : kDurationUnits) {
    if (duration.count() != 0 && duration.count() % factor == 0)
      return fmt::format("{}{}", duration.count() / factor, name);
  }
  return fmt::format("{}s", duration.count());
}

std::optional<uint64_t> ParseBytes(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  if (unit.empty()) unit = "B";
  for (const auto& [name, factor] : kByteUnits) {
    if (unit != name) continue;
    if (number > kMaxBytes / factor) return std::nullopt;
    return number * factor;
  }
  return std::nullopt;
}

std::string FormatBytes(uint64_t bytes) {
  for (const auto& [name, factor] : kByteUnits) {
    if (bytes != 0 && bytes % factor == 0) return fmt::format("{}{}", bytes / factor, name);
  }
  return "0B";
}

}  // namespace tidegate
