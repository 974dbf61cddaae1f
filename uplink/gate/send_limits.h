// The limits that an operator sets for the uplink: bytes in a period, and times of the day. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tidegate {

struct BudgetLimit {
  enum class Period : uint8_t { kHour, kDay };
  uint64_t bytes = 0;
  Period period = Period::kDay;

  // "hour", "day"
  std::string_view PeriodName() const { return period == Period::kHour ? "hour" : "day"; }
  std::chrono::hours PeriodLength() const {
    return std::chrono::hours(period == Period::kHour ? 1 : 24);
  }
  friend bool operator==(const BudgetLimit&, const BudgetLimit&) = default;
};

// A smaller budget would be used up by connecting.
inline constexpr uint64_t kMinBudgetBytes = 64 * 1024;

// Parses "50MiB/day", or a list with one budget for each period: "2MiB/hour,20MiB/day". kInvalid:
// the message says which element is wrong and why.
Result<std::vector<BudgetLimit>> ParseBudgets(std::string_view text);

// A daily time at which sending is allowed: from `from`, included, to `to`, excluded, in minutes
// since midnight. It spans midnight if `to` <= `from`.
struct SendWindow {
  std::chrono::minutes from{0};
  std::chrono::minutes to{0};

  bool Contains(std::chrono::seconds time_of_day) const;
  // As ParseWindows() reads it: "02:00-05:00".
  std::string Text() const;
  friend bool operator==(const SendWindow&, const SendWindow&) = default;
};

// Parses "02:00-05:00", or a list with commas; a window may end at 24:00. kInvalid: as above.
Result<std::vector<SendWindow>> ParseWindows(std::string_view text);

// Returns the time until the first window opens, or until no window is open; a day if that never
// changes.
std::chrono::seconds UntilChange(const std::vector<SendWindow>& windows,
                                 std::chrono::seconds time_of_day);

}  // namespace tidegate
