// Parses NMEA 0183 sentences as GPS receivers send them, one line at a time. The checksum is
// required; any talker is read (GP, GN, GL, ...); of the sentence types only RMC and GGA, which
// carry what a position record needs. Pure; any thread.
//
// Known loss: a receiver whose firmware is older than the last rollover of GPS weeks sends dates
// that are 1,024 weeks (19.6 years) too early. They look like any other and are kept.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace tidegate::nmea {

// The standard allows 82 bytes with CR and LF; receivers with centimetre digits send more.
inline constexpr size_t kMaxSentenceBytes = 82 + 46;

// A number with the digits it was sent with: units / 10^places.
struct Decimal {
  int64_t units = 0;
  int places = 0;

  friend bool operator==(const Decimal&, const Decimal&) = default;
};
// Writes a number of RFC 8259 and keeps trailing zeros: {-4700, 3} is -4.700.
std::string ToText(Decimal number);

// Degrees, north and east positive.
struct Coordinates {
  Decimal latitude;
  Decimal longitude;

  friend bool operator==(const Coordinates&, const Coordinates&) = default;
};

// Recommended minimum data: the only sentence with a date. A member without a value is a field that
// the receiver left empty.
struct Rmc {
  // UTC.
  std::optional<std::chrono::milliseconds> time_of_day;
  // Status A, a mode that is not N, and a position.
  bool valid = false;
  std::optional<Coordinates> position;
  std::optional<Decimal> speed_kmh;
  std::optional<Decimal> course_deg;
  // Two-digit years 80..99 are 1980..1999, the others 2000..2079.
  std::optional<std::chrono::year_month_day> date;
  // One of A, D, E, F, M, N, P, R, S; A if the receiver is older than NMEA 2.3 and has no such
  // field.
  char mode = 'A';
};

// Fix data. A member without a value is a field that the receiver left empty.
struct Gga {
  // UTC.
  std::optional<std::chrono::milliseconds> time_of_day;
  // 0 no fix, 1 GPS, 2 differential, 3 PPS, 4 RTK, 5 RTK float, 6 dead reckoning, 7 manual,
  // 8 simulator. Always 0 without a position.
  int quality = 0;
  std::optional<Coordinates> position;
  std::optional<int> satellites;
  std::optional<Decimal> hdop;
  std::optional<Decimal> altitude_m;
};

enum class Fault {
  kChecksum,   // Missing or wrong: noise on the line.
  kMalformed,  // No sentence, or one whose fields contradict its type.
};
// A good sentence of another type.
struct Unused {};

using Sentence = std::variant<Fault, Unused, Rmc, Gga>;

// Parses `line`, which has no CR and LF. Skips text before the last '$', which is the rest of a
// torn sentence.
Sentence ParseSentence(std::string_view line);

}  // namespace tidegate::nmea
