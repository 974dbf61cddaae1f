// What an operator allows the uplink: bytes a period, and times of the day. Pure.
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

// Less would be used up by connecting.
inline constexpr uint64_t kMinBudgetBytes = 64 * 1024;

// "50MiB/day", or one for each period with a comma: "2MiB/hour,20MiB/day". kInvalid: says which
// element is wrong and why.
Result<std::vector<BudgetLimit>> ParseBudgets(std::string_view text);

// From `from` on, until `to`, in minutes since midnight; over midnight if `to` is not after `from`.
struct SendWindow {
  std::chrono::minutes from{0};
  std::chrono::minutes to{0};

  bool Contains(std::chrono::seconds time_of_day) const;
  std::string Text() const;  // "02:00-05:00"
  friend bool operator==(const SendWindow&, const SendWindow&) = default;
};

// "02:00-05:00", or several with commas; 24:00 is a time to end at. kInvalid: as above.
Result<std::vector<SendWindow>> ParseWindows(std::string_view text);

// How long until one of them opens or the last of them closes; a day if they never do.
std::chrono::seconds UntilChange(const std::vector<SendWindow>& windows,
                                 std::chrono::seconds time_of_day);

}  // namespace tidegate
