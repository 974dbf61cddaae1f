#include "core/time_format.h"

#include <algorithm>
#include <cmath>

namespace tidegate {

namespace {
using namespace std::chrono;

constexpr WallTime kFirst = sys_days{year{0} / 1 / 1};
constexpr WallTime kLast = sys_days{year{9999} / 12 / 31} + 24h - 1ms;

// Reads the text from left to right. Each step returns whether it matched.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool Digits(size_t count, int& number) {
    if (rest_.size() < count) return false;
    number = 0;
    for (size_t i = 0; i < count; ++i) {
      if (!IsDigit(rest_[i])) return false;
      number = number * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return true;
  }
  bool OneOf(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool done() const { return rest_.empty(); }
  char next() const { return rest_.empty() ? '\0' : rest_.front(); }
  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }

 private:
  std::string_view rest_;
};

bool ReadFraction(Reader& reader, milliseconds& fraction) {
  fraction = 0ms;
  if (!reader.OneOf(".,")) return true;
  if (!Reader::IsDigit(reader.next())) return false;
  for (int weight = 100; Reader::IsDigit(reader.next()); weight /= 10) {
    int digit = 0;
    reader.Digits(1, digit);
    fraction += milliseconds(digit * weight);
  }
  return true;
}

bool ReadZone(Reader& reader, minutes& offset) {
  offset = 0min;
  if (reader.done() || reader.OneOf("Zz")) return true;
  const bool west = reader.next() == '-';
  int hour = 0;
  int minute = 0;
  if (!reader.OneOf("+-") || !reader.Digits(2, hour)) return false;
  if (!reader.done()) {
    reader.OneOf(":");
    if (!reader.Digits(2, minute)) return false;
  }
  if (hour > 23 || minute > 59) return false;
  offset = hours(hour) + minutes(minute);
  if (west) offset = -offset;
  return true;
}
}  // namespace

std::string FormatTime(WallTime time) {
  time = std::clamp(time, kFirst, kLast);
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  std::string text = "0000-00-00T00:00:00.000Z";
  // Writes the digits into their places without a formatter, because every record's time is
  // formatted.
  const auto put = [&text](size_t place, size_t digits, auto number) {
    for (size_t i = digits; i-- > 0; number /= 10) {
      text[place + i] = static_cast<char>('0' + number % 10);
    }
  };
  put(0, 4, static_cast<int>(date.year()));
  put(5, 2, static_cast<unsigned>(date.month()));
  put(8, 2, static_cast<unsigned>(date.day()));
  put(11, 2, clock.hours().count());
  put(14, 2, clock.minutes().count());
  put(17, 2, clock.seconds().count());
  put(20, 3, clock.subseconds().count());
  return text;
}

std::optional<WallTime> ParseTime(std::string_view text) {
  Reader reader(text);
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  if (!reader.Digits(4, y) || !reader.OneOf("-") || !reader.Digits(2, mo) || !reader.OneOf("-") ||
      !reader.Digits(2, d)) {
    return std::nullopt;
  }
  if (!reader.OneOf("Tt ") || !reader.Digits(2, h) || !reader.OneOf(":") || !reader.Digits(2, mi))
    return std::nullopt;
  milliseconds fraction{0};
  if (reader.OneOf(":") && (!reader.Digits(2, s) || !ReadFraction(reader, fraction)))
    return std::nullopt;
  minutes offset{0};
  if (!ReadZone(reader, offset) || !reader.done()) return std::nullopt;
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)},
                            day{static_cast<unsigned>(d)}};
  // A leap second (60) becomes the first second of the next minute.
  if (!date.ok() || h > 23 || mi > 59 || s > 60) return std::nullopt;
  const WallTime time = sys_days{date} + hours(h) + minutes(mi) + seconds(s) + fraction - offset;
  if (time < kFirst || time > kLast) return std::nullopt;
  return time;
}

std::optional<WallTime> TimeFromEpoch(double value) {
  if (!(value >= 0)) return std::nullopt;
  const double ms = value < 1e11 ? value * 1000 : value;
  if (ms > static_cast<double>(kLast.time_since_epoch().count())) return std::nullopt;
  return WallTime(milliseconds(std::llround(ms)));
}

}  // namespace tidegate
