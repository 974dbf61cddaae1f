#include "core/local_time.h"

#include <ctime>

namespace tidegate {

namespace {
// A time beyond the range of the C library (its years are int) becomes the zero date.
std::tm ToLocal(WallTime time) {
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm local{};
  localtime_r(&seconds, &local);
  return local;
}
}  // namespace

std::chrono::seconds LocalTimeOfDay(WallTime time) {
  const std::tm local = ToLocal(time);
  return std::chrono::hours(local.tm_hour) + std::chrono::minutes(local.tm_min) +
         std::chrono::seconds(local.tm_sec);
}

WallTime NextLocalMidnight(WallTime time) {
  std::tm local = ToLocal(time);
  ++local.tm_mday;
  local.tm_hour = local.tm_min = local.tm_sec = 0;
  local.tm_isdst = -1;  // mktime(3) finds out whether daylight saving time is in effect.
  const WallTime midnight{std::chrono::seconds(std::mktime(&local))};
  // Where the clocks jump over midnight, mktime may give the last second before the gap.
  return midnight > time ? midnight : time + std::chrono::hours(1);
}

std::string LocalZoneName(WallTime time) {
  const std::tm local = ToLocal(time);
  return local.tm_zone != nullptr ? local.tm_zone : "UTC";
}

}  // namespace tidegate
