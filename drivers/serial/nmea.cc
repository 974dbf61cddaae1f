#include "drivers/serial/nmea.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/check.h"

namespace tidegate::nmea {
namespace {

// No sentence that is read here has more; further fields are ignored.
constexpr size_t kMaxFields = 20;
// Keeps every product below within 64 bits.
constexpr size_t kMaxDigits = 12;
constexpr int kMaxDegreePlaces = 7;  // A centimetre.

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

int64_t PowerOfTen(int exponent) {
  int64_t power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

// Rounds to the nearest, halves away from zero. REQUIRES: divisor > 0.
int64_t DivideRounded(int64_t number, int64_t divisor) {
  CHECK(divisor > 0, "a scale is positive");
  const int64_t half = divisor / 2;
  return number < 0 ? -((-number + half) / divisor) : (number + half) / divisor;
}

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Digits only, all of the text.
std::optional<int64_t> ParseDigits(std::string_view text) {
  if (text.empty() || text.size() > kMaxDigits) return std::nullopt;
  int64_t number = 0;
  for (char c : text) {
    if (!IsDigit(c)) return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

// [-+]digits[.digits]
std::optional<Decimal> ParseDecimal(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const size_t dot = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, dot);
  const std::string_view fraction = dot < text.size() ? text.substr(dot + 1) : std::string_view();
  const auto number = ParseDigits(std::string(whole).append(fraction));
  if (whole.empty() || !number.has_value()) return std::nullopt;
  return Decimal{negative ? -*number : *number, static_cast<int>(fraction.size())};
}

// Walks the fields of a sentence. A field that is there but does not read marks the whole sentence
// as malformed; an empty one is a value that the receiver does not know.
class Fields {
 public:
  explicit Fields(std::string_view body) {
    while (count_ < kMaxFields) {
      const size_t comma = std::min(body.find(','), body.size());
      fields_[count_++] = body.substr(0, comma);
      if (comma == body.size()) break;
      body.remove_prefix(comma + 1);
    }
  }

  size_t count() const { return count_; }
  bool good() const { return good_; }
  std::string_view Text(size_t index) const {
    return index < count_ ? fields_[index] : std::string_view();
  }

  char Letter(size_t index, std::string_view allowed) {
    const std::string_view text = Text(index);
    if (text.empty()) return '\0';
    if (text.size() == 1 && allowed.find(text[0]) != std::string_view::npos) return text[0];
    good_ = false;
    return '\0';
  }

  std::optional<Decimal> Number(size_t index) {
    const std::string_view text = Text(index);
    return text.empty() ? std::nullopt : Checked(ParseDecimal(text));
  }

  std::optional<int> Count(size_t index) {
    const std::string_view text = Text(index);
    if (text.empty()) return std::nullopt;
    const auto number = Checked(text.size() <= 4 ? ParseDigits(text) : std::nullopt);
    return number.has_value() ? std::optional(static_cast<int>(*number)) : std::nullopt;
  }

  std::optional<std::chrono::milliseconds> TimeOfDay(size_t index);
  std::optional<std::chrono::year_month_day> Date(size_t index);
  // Four fields: latitude, N or S, longitude, E or W. All or none.
  std::optional<Coordinates> Position(size_t index);

 private:
  template <typename T>
  std::optional<T> Checked(std::optional<T> value) {
    if (!value.has_value()) good_ = false;
    return value;
  }
  std::optional<Decimal> Angle(size_t index, size_t degree_digits, std::string_view hemispheres);

  std::array<std::string_view, kMaxFields> fields_;
  size_t count_ = 0;
  bool good_ = true;
};

// hhmmss with any fraction, cut to milliseconds. Second 60 is a leap second.
std::optional<std::chrono::milliseconds> ParseTimeOfDay(std::string_view text) {
  if (text.size() < 6) return std::nullopt;
  const auto hour = ParseDigits(text.substr(0, 2));
  const auto minute = ParseDigits(text.substr(2, 2));
  const auto second = ParseDecimal(text.substr(4));
  if (!hour || !minute || !second || !IsDigit(text[4]) || !IsDigit(text[5])) return std::nullopt;
  if (text.size() > 6 && text[6] != '.') return std::nullopt;
  const int64_t ms = second->units * 1000 / PowerOfTen(second->places);
  if (*hour > 23 || *minute > 59 || ms >= 61'000) return std::nullopt;
  return std::chrono::milliseconds((*hour * 60 + *minute) * 60'000 + ms);
}

std::optional<std::chrono::year_month_day> ParseDate(std::string_view text) {
  if (text.size() != 6 || !ParseDigits(text)) return std::nullopt;
  const auto two = [text](size_t at) { return (text[at] - '0') * 10 + (text[at + 1] - '0'); };
  const int year = two(4) + (two(4) >= 80 ? 1900 : 2000);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(two(2))),
                                         std::chrono::day(static_cast<unsigned>(two(0)))};
  return date.ok() ? std::optional(date) : std::nullopt;
}

// dddmm.mmmm in degrees. One unit of the last place of the minutes is 1/60 unit of the degrees'
// same place, so two places more keep every value apart, and a third would be invented.
std::optional<Decimal> ParseAngle(std::string_view text, size_t degree_digits, int64_t limit) {
  const size_t dot = std::min(text.find('.'), text.size());
  if (dot != degree_digits + 2) return std::nullopt;
  const auto degrees = ParseDigits(text.substr(0, degree_digits));
  const auto minutes = ParseDecimal(text.substr(degree_digits));
  if (!degrees || !minutes || minutes->units < 0 || !IsDigit(text[degree_digits])) {
    return std::nullopt;
  }
  const int64_t scale = PowerOfTen(minutes->places);
  if (minutes->units >= 60 * scale) return std::nullopt;
  const int places = std::min(minutes->places + 2, kMaxDegreePlaces);
  const int64_t one = PowerOfTen(places);
  const int64_t units = *degrees * one + DivideRounded(minutes->units * one, 60 * scale);
  if (units > limit * one) return std::nullopt;
  return Decimal{units, places};
}

std::optional<std::chrono::milliseconds> Fields::TimeOfDay(size_t index) {
  const std::string_view text = Text(index);
  return text.empty() ? std::nullopt : Checked(ParseTimeOfDay(text));
}

std::optional<std::chrono::year_month_day> Fields::Date(size_t index) {
  const std::string_view text = Text(index);
  return text.empty() ? std::nullopt : Checked(ParseDate(text));
}

std::optional<Decimal> Fields::Angle(size_t index, size_t degree_digits,
                                     std::string_view hemispheres) {
  const char hemisphere = Letter(index + 1, hemispheres);
  auto angle = Checked(ParseAngle(Text(index), degree_digits, degree_digits == 2 ? 90 : 180));
  if (hemisphere == '\0') good_ = false;
  if (angle.has_value() && hemisphere == hemispheres[1]) angle->units = -angle->units;
  return angle;
}

std::optional<Coordinates> Fields::Position(size_t index) {
  if (Text(index).empty() && Text(index + 2).empty()) return std::nullopt;
  const auto latitude = Angle(index, 2, "NS");
  const auto longitude = Angle(index + 2, 3, "EW");
  if (!latitude.has_value() || !longitude.has_value()) return std::nullopt;
  return Coordinates{*latitude, *longitude};
}

// A knot is exactly 1.852 km/h.
std::optional<Decimal> KilometresPerHour(std::optional<Decimal> knots) {
  if (knots.has_value()) knots->units = DivideRounded(knots->units * 1852, 1000);
  return knots;
}

Sentence ParseRmc(Fields& fields) {
  Rmc rmc;
  rmc.time_of_day = fields.TimeOfDay(1);
  const char status = fields.Letter(2, "AV");
  rmc.position = fields.Position(3);
  rmc.speed_kmh = KilometresPerHour(fields.Number(7));
  rmc.course_deg = fields.Number(8);
  rmc.date = fields.Date(9);
  const char mode = fields.Letter(12, "ADEFMNPRS");
  if (mode != '\0') rmc.mode = mode;
  rmc.valid = status == 'A' && mode != 'N' && rmc.position.has_value();
  if (!fields.good() || fields.count() < 10) return Fault::kMalformed;
  CHECK(!rmc.valid || rmc.position.has_value(), "a fix has a position");
  return rmc;
}

Sentence ParseGga(Fields& fields) {
  Gga gga;
  gga.time_of_day = fields.TimeOfDay(1);
  gga.position = fields.Position(2);
  gga.quality = fields.Count(6).value_or(0);
  gga.satellites = fields.Count(7);
  gga.hdop = fields.Number(8);
  gga.altitude_m = fields.Number(9);
  if (gga.altitude_m.has_value() && fields.Letter(10, "M") == '\0') gga.altitude_m.reset();
  if (!gga.position.has_value()) gga.quality = 0;
  if (!fields.good() || fields.count() < 10 || gga.quality > 8) return Fault::kMalformed;
  CHECK(gga.quality == 0 || gga.position.has_value(), "a fix has a position");
  return gga;
}

// The text between '$' and '*', if the checksum after it is right.
std::optional<std::string_view> CheckedBody(std::string_view sentence) {
  const size_t star = sentence.size() - 3;
  if (sentence.size() < 4 || sentence[star] != '*') return std::nullopt;
  const int high = HexDigit(sentence[star + 1]);
  const int low = HexDigit(sentence[star + 2]);
  const std::string_view body = sentence.substr(0, star);
  unsigned sum = 0;
  for (char c : body) sum ^= static_cast<unsigned char>(c);
  if (high < 0 || low < 0 || sum != static_cast<unsigned>(high * 16 + low)) return std::nullopt;
  return body;
}

}  // namespace

std::string ToText(Decimal number) {
  if (number.places == 0) return fmt::format("{}", number.units);
  const int64_t scale = PowerOfTen(number.places);
  const int64_t size = number.units < 0 ? -number.units : number.units;
  return fmt::format("{}{}.{:0{}}", number.units < 0 ? "-" : "", size / scale, size % scale,
                     number.places);
}

Sentence ParseSentence(std::string_view line) {
  const size_t dollar = line.rfind('$');
  if (dollar == std::string_view::npos) return Fault::kMalformed;
  std::string_view sentence = line.substr(dollar + 1);
  while (sentence.ends_with(' ')) sentence.remove_suffix(1);
  const auto body = CheckedBody(sentence);
  if (!body.has_value()) return Fault::kChecksum;
  if (std::any_of(body->begin(), body->end(), [](char c) { return c < 0x20 || c > 0x7e; })) {
    return Fault::kMalformed;
  }
  Fields fields(*body);
  const std::string_view address = fields.Text(0);
  if (address.size() == 5 && address.ends_with("RMC")) return ParseRmc(fields);
  if (address.size() == 5 && address.ends_with("GGA")) return ParseGga(fields);
  return Unused{};
}

}  // namespace tidegate::nmea
