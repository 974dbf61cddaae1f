// NMEA 0183 sentences as GPS receivers send them, one line at a time. Pure. The checksum is
// required; any talker is read (GP, GN, GL, ...); only RMC and GGA carry what a position record
// needs.
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
// As RFC 8259 writes a number, trailing zeros kept: {-4700, 3} is -4.700.
std::string ToText(Decimal number);

// Degrees, north and east positive.
struct Coordinates {
  Decimal latitude;
  Decimal longitude;

  friend bool operator==(const Coordinates&, const Coordinates&) = default;
};

// Recommended minimum data: the one sentence with a date.
struct Rmc {
  std::optional<std::chrono::milliseconds>
      time_of_day;     // UTC. Empty in a receiver that knows no time yet.
  bool valid = false;  // Status A, and a mode that is not N.
  std::optional<Coordinates> position;
  std::optional<Decimal> speed_kmh;
  std::optional<Decimal> course_deg;
  // Two-digit years 80..99 are 1980..1999, the others 2000..2079. A receiver whose firmware is
  // older than the last rollover of GPS weeks is 1,024 weeks (19.6 years) behind; that date looks
  // like any other and is given as it is.
  std::optional<std::chrono::year_month_day> date;
  char mode = 'A';  // A, D, E, F, M, P, R, S; A for receivers from before NMEA 2.3, which have no
                    // such field.
};

// Fix data.
struct Gga {
  std::optional<std::chrono::milliseconds> time_of_day;
  int quality = 0;  // 0 no fix, 1 GPS, 2 differential, 3 PPS, 4 RTK, 5 RTK float, 6 dead reckoning,
                    // 7 manual, 8 simulator.
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

// `line` without CR and LF. Text before the last '$' is taken for the rest of a torn sentence and
// skipped.
Sentence ParseSentence(std::string_view line);

}  // namespace tidegate::nmea
