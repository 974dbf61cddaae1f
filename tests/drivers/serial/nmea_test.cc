#include "drivers/serial/nmea.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tests/drivers/serial/sentences.h"

namespace tidegate::nmea {
namespace {

using std::chrono::milliseconds;

template <typename T>
T Parsed(const std::string& body) {
  const Sentence sentence = ParseSentence(WithChecksum(body));
  const T* parsed = std::get_if<T>(&sentence);
  EXPECT_NE(parsed, nullptr) << body;
  return parsed != nullptr ? *parsed : T{};
}

std::optional<Fault> FaultOf(const std::string& line) {
  const Sentence sentence = ParseSentence(line);
  const Fault* fault = std::get_if<Fault>(&sentence);
  return fault != nullptr ? std::optional(*fault) : std::nullopt;
}

TEST(NmeaTest, ReadsARecommendedMinimum) {
  const Sentence sentence =
      ParseSentence("$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A");
  const Rmc* rmc = std::get_if<Rmc>(&sentence);
  ASSERT_NE(rmc, nullptr);
  EXPECT_TRUE(rmc->valid);
  EXPECT_EQ(rmc->time_of_day, milliseconds(45'319'000));
  EXPECT_EQ(ToText(rmc->position->latitude), "48.11730");
  EXPECT_EQ(ToText(rmc->position->longitude), "11.51667");
  EXPECT_EQ(ToText(*rmc->speed_kmh), "41.5");
  EXPECT_EQ(ToText(*rmc->course_deg), "84.4");
  EXPECT_EQ(rmc->date, std::chrono::year(1994) / 3 / 23);
  EXPECT_EQ(rmc->mode, 'A');
}

TEST(NmeaTest, ReadsFixData) {
  const Sentence sentence =
      ParseSentence("$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47");
  const Gga* gga = std::get_if<Gga>(&sentence);
  ASSERT_NE(gga, nullptr);
  EXPECT_EQ(gga->quality, 1);
  EXPECT_EQ(gga->satellites, 8);
  EXPECT_EQ(ToText(*gga->hdop), "0.9");
  EXPECT_EQ(ToText(*gga->altitude_m), "545.4");
}

TEST(NmeaTest, KeepsTheDigitsOfThePositionAndAddsNone) {
  struct Case {
    const char* latitude;
    const char* longitude;
    const char* want;
  };
  const Case cases[] = {
      {"4807.038,N", "01131.000,E", "48.11730 11.51667"},
      {"4807,N", "01131,E", "48.12 11.52"},
      {"4807.0381,N", "01131.0001,E", "48.117302 11.516668"},
      {"4807.03812,N", "01131.00012,W", "48.1173020 -11.5166687"},
      {"4807.0381234,S", "01131.0001234,E", "-48.1173021 11.5166687"},
      {"0000.0000,S", "00000.0000,W", "0.000000 0.000000"},
      {"0000.0006,S", "00000.0006,W", "-0.000010 -0.000010"},
      {"9000.0000,N", "18000.0000,E", "90.000000 180.000000"},
      {"5959.9999,N", "00059.9999,E", "59.999998 0.999998"},
  };
  for (const Case& test : cases) {
    const Rmc rmc = Parsed<Rmc>(
        fmt::format("GNRMC,120000.00,A,{},{},0.0,,010125,,,A", test.latitude, test.longitude));
    ASSERT_TRUE(rmc.position.has_value()) << test.latitude;
    EXPECT_EQ(ToText(rmc.position->latitude) + " " + ToText(rmc.position->longitude), test.want);
  }
}

TEST(NmeaTest, NeighbouringMinutesNeverFallTogether) {
  const auto latitude = [](int minutes_e4) {
    const Rmc rmc = Parsed<Rmc>(fmt::format("GPRMC,,A,48{:02}.{:04},N,01131.0,E,,,,,,A",
                                            minutes_e4 / 10'000, minutes_e4 % 10'000));
    return ToText(rmc.position->latitude);
  };
  for (int i = 0; i + 1 < 600'000; i += 37) EXPECT_NE(latitude(i), latitude(i + 1)) << i;
}

TEST(NmeaTest, ReadsTimeToTheMillisecond) {
  const auto time_of = [](const std::string& text) {
    return Parsed<Rmc>(fmt::format("GPRMC,{},V,,,,,,,,,,N", text)).time_of_day;
  };
  EXPECT_EQ(time_of("000000"), milliseconds(0));
  EXPECT_EQ(time_of("235959.999"), milliseconds(86'399'999));
  EXPECT_EQ(time_of("120000.2"), milliseconds(43'200'200));
  EXPECT_EQ(time_of("120000.123999"), milliseconds(43'200'123));
  EXPECT_EQ(time_of("235960.5"), milliseconds(86'400'500));
  EXPECT_EQ(time_of(""), std::nullopt);
}

TEST(NmeaTest, TakesTwoDigitYearsFrom1980) {
  const auto date_of = [](const std::string& text) {
    return Parsed<Rmc>(fmt::format("GPRMC,,V,,,,,,,{},,,N", text)).date;
  };
  using std::chrono::year;
  EXPECT_EQ(date_of("060180"), year(1980) / 1 / 6);
  EXPECT_EQ(date_of("311299"), year(1999) / 12 / 31);
  EXPECT_EQ(date_of("010100"), year(2000) / 1 / 1);
  EXPECT_EQ(date_of("311279"), year(2079) / 12 / 31);
  EXPECT_EQ(date_of("290224"), year(2024) / 2 / 29);
  EXPECT_EQ(date_of(""), std::nullopt);
}

TEST(NmeaTest, AVoidSentenceIsNotValid) {
  EXPECT_FALSE(Parsed<Rmc>("GPRMC,120000,V,4807.038,N,01131.000,E,1.0,2.0,230394,,").valid);
  EXPECT_FALSE(Parsed<Rmc>("GPRMC,120000,A,4807.038,N,01131.000,E,1.0,2.0,230394,,,N").valid);
  EXPECT_FALSE(Parsed<Rmc>("GPRMC,120000,A,,,,,1.0,2.0,230394,,,A").valid);
  EXPECT_FALSE(Parsed<Rmc>("GPRMC,,V,,,,,,,,,,N").valid);
  EXPECT_EQ(Parsed<Gga>("GPGGA,120000,4807.038,N,01131.000,E,0,00,99.9,,M,,M,,").quality, 0);
  EXPECT_EQ(Parsed<Gga>("GPGGA,120000,,,,,1,04,1.0,1.0,M,,M,,").quality, 0);
  EXPECT_EQ(Parsed<Gga>("GPGGA,,,,,,0,,,,M,,M,,").quality, 0);
}

TEST(NmeaTest, TakesAnyTalkerAndPassesOverOtherTypes) {
  for (const char* talker : {"GP", "GN", "GL", "GA", "GB", "BD", "II"}) {
    Parsed<Rmc>(fmt::format("{}RMC,,V,,,,,,,,,,N", talker));
  }
  for (const char* body : {"GPGSV,3,1,11,03,03,111,00,04,15,270,00", "GPTXT,01,01,02,ANTSTATUS=OK",
                           "PUBX,00,081350.00", "PGRME,15.0,M", "XRMC", "RMC"}) {
    Parsed<Unused>(body);
  }
}

TEST(NmeaTest, ResynchronisesAtTheLastDollar) {
  const std::string good = WithChecksum("GPRMC,,V,,,,,,,,,,N");
  EXPECT_TRUE(std::holds_alternative<Rmc>(ParseSentence("\x80\xff,47.0" + good)));
  EXPECT_TRUE(std::holds_alternative<Rmc>(ParseSentence("$GPRMC,1235" + good)));
  EXPECT_TRUE(std::holds_alternative<Rmc>(ParseSentence(good + " ")));
}

TEST(NmeaTest, RequiresTheChecksum) {
  for (const char* line : {"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6B",
                           "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W",
                           // One digit changed on the way, the checksum as sent.
                           "$GPRMC,123519,A,4907.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A",
                           "$", "$*", "$*0", "$*00", "$**", "$A*4", "$A*4G", "$A*-1", "$A*41*41"}) {
    EXPECT_EQ(FaultOf(line), Fault::kChecksum) << line;
  }
  EXPECT_TRUE(std::holds_alternative<Unused>(ParseSentence("$A*41")));
}

TEST(NmeaTest, RefusesFieldsThatContradictTheirType) {
  const std::vector<std::string> bodies{
      "GPRMC",
      "GPRMC,,,,,,",
      "GPRMC,1200,A,4807.038,N,01131.000,E,1,2,230394,,",          // Time too short.
      "GPRMC,240000,A,4807.038,N,01131.000,E,1,2,230394,,",        // No such hour.
      "GPRMC,120000,X,4807.038,N,01131.000,E,1,2,230394,,",        // No such status.
      "GPRMC,120000,A,4860.000,N,01131.000,E,1,2,230394,,",        // 60 minutes.
      "GPRMC,120000,A,9000.001,N,01131.000,E,1,2,230394,,",        // Beyond the pole.
      "GPRMC,120000,A,4807.038,N,18000.001,E,1,2,230394,,",        // Beyond the date line.
      "GPRMC,120000,A,807.038,N,01131.000,E,1,2,230394,,",         // One digit of degrees.
      "GPRMC,120000,A,4807.038,E,01131.000,N,1,2,230394,,",        // Hemispheres exchanged.
      "GPRMC,120000,A,4807.038,,01131.000,E,1,2,230394,,",         // No hemisphere.
      "GPRMC,120000,A,4807.038,N,,,1,2,230394,,",                  // Half a position.
      "GPRMC,120000,A,48-7.038,N,01131.000,E,1,2,230394,,",        // A sign inside.
      "GPRMC,120000,A,4807.0.8,N,01131.000,E,1,2,230394,,",        // Two dots.
      "GPRMC,120000,A,4807.038,N,01131.000,E,1e9,2,230394,,",      // No decimal number.
      "GPRMC,120000,A,4807.038,N,01131.000,E,1,nan,230394,,",      // Neither.
      "GPRMC,120000,A,4807.038,N,01131.000,E,1,2,310225,,",        // No such day.
      "GPRMC,120000,A,4807.038,N,01131.000,E,1,2,2303940,,",       // Date too long.
      "GPRMC,120000,A,4807.038,N,01131.000,E,9999999999999,2,,,",  // Too many digits.
      "GPRMC,12000000000000000000.0000000000,A,4807.038,N,01131.000,E,,,,,",
      "GPGGA,120000,4807.038,N,01131.000,E,9,08,0.9,545.4,M,,M,,",   // No such quality.
      "GPGGA,120000,4807.038,N,01131.000,E,-1,08,0.9,545.4,M,,M,,",  // Nor this.
      "GPGGA,120000,4807.038,N,01131.000,E,1,99999,0.9,1.0,M,,M,,",  // So many satellites.
      "GPGGA,120000,4807.038,N,01131.000,E,1,08,0.9,1.0,F,,M,,",     // Feet.
      std::string("GPRMC,12\0\0\0\0,A,4807.038,N,01131.000,E,1,2,230394,,", 50),
      "GPRMC,120000,A,4807.038,N,01131.000,E,1,2,230394,,\xc3\xbc",
  };
  for (const std::string& body : bodies) {
    EXPECT_EQ(FaultOf(WithChecksum(body)), Fault::kMalformed) << body;
  }
  EXPECT_EQ(FaultOf("{\"temperature_c\":4}"), Fault::kMalformed);
  EXPECT_EQ(FaultOf(""), Fault::kMalformed);
}

TEST(NmeaTest, TooManyFieldsDoNoHarm) {
  const std::string body = "GPRMC,120000,A,4807.038,N,01131.000,E,1,2,230394,,,A";
  EXPECT_TRUE(Parsed<Rmc>(body + std::string(5'000, ',')).valid);
}

TEST(NmeaTest, WritesDecimalsAsJsonDoes) {
  EXPECT_EQ(ToText({0, 0}), "0");
  EXPECT_EQ(ToText({-4700, 3}), "-4.700");
  EXPECT_EQ(ToText({-4, 3}), "-0.004");
  EXPECT_EQ(ToText({123, 0}), "123");
}

}  // namespace
}  // namespace tidegate::nmea
