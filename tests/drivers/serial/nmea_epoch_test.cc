#include "drivers/serial/nmea_epoch.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "tests/drivers/serial/sentences.h"

namespace tidegate::nmea {
namespace {

constexpr char kFix[] = "4807.038,N,01131.000,E";

// Feeds sentences to a merger and writes what it gives out.
class NmeaEpochTest : public testing::Test {
 protected:
  // The payload, or "-" if the sentence completes nothing.
  std::string Add(const std::string& body) {
    const Sentence sentence = ParseSentence(WithChecksum(body));
    if (const Rmc* rmc = std::get_if<Rmc>(&sentence)) return Text(merger_.Add(*rmc));
    if (const Gga* gga = std::get_if<Gga>(&sentence)) return Text(merger_.Add(*gga));
    return "not a sentence: " + body;
  }
  std::string GoodRmc(const std::string& time, const std::string& talker = "GP") {
    return Add(talker + "RMC," + time + ",A," + kFix + ",10.00,084.4,230625,,,A");
  }
  std::string GoodGga(const std::string& time, const std::string& talker = "GP") {
    return Add(talker + "GGA," + time + "," + kFix + ",1,08,0.9,545.4,M,46.9,M,,");
  }
  std::string Flush() { return Text(merger_.Flush()); }

  static std::string Text(const std::optional<Epoch>& epoch) {
    return epoch.has_value() ? ToPayload(*epoch) : "-";
  }

  EpochMerger merger_;
};

constexpr char kBoth[] = R"({"timestamp":"2025-06-23T12:00:00.200Z",)"
                         R"("location":{"latitude":48.11730,"longitude":11.51667},)"
                         R"("speed_kmh":18.52,"course_deg":84.4,"altitude_m":545.4,)"
                         R"("satellites":8,"hdop":0.9,"fix":"gps"})";
constexpr char kGgaAlone[] = R"({"location":{"latitude":48.11730,"longitude":11.51667},)"
                             R"("altitude_m":545.4,"satellites":8,"hdop":0.9,"fix":"gps"})";

TEST_F(NmeaEpochTest, MergesBothInEitherOrder) {
  EXPECT_EQ(GoodRmc("120000.20"), "-");
  EXPECT_EQ(GoodGga("120000.20"), kBoth);
  EXPECT_EQ(Flush(), "-");
  EXPECT_EQ(GoodGga("120000.20"), "-");
  EXPECT_EQ(GoodRmc("120000.20"), kBoth);
}

TEST_F(NmeaEpochTest, TheNextEpochEndsTheLast) {
  EXPECT_EQ(GoodGga("120000"), "-");
  EXPECT_EQ(GoodGga("120001"), kGgaAlone);
  EXPECT_EQ(GoodRmc("120002"), kGgaAlone);
  EXPECT_TRUE(merger_.incomplete());
  EXPECT_EQ(Flush(), R"({"timestamp":"2025-06-23T12:00:02.000Z",)"
                     R"("location":{"latitude":48.11730,"longitude":11.51667},)"
                     R"("speed_kmh":18.52,"course_deg":84.4,"fix":"gps"})");
  EXPECT_FALSE(merger_.incomplete());
}

TEST_F(NmeaEpochTest, SeveralTalkersAreOneEpoch) {
  EXPECT_EQ(GoodRmc("120000.20", "GP"), "-");
  EXPECT_EQ(GoodRmc("120000.20", "GL"), "-");
  EXPECT_EQ(GoodGga("120000.20", "GN"), kBoth);
  EXPECT_EQ(GoodGga("120000.20", "GL"), "-");
  EXPECT_EQ(GoodRmc("120000.20", "GN"), "-");
  EXPECT_EQ(Flush(), "-");
}

TEST_F(NmeaEpochTest, AClockThatStandsStillGivesRecordsAfterAFlush) {
  GoodRmc("120000.20");
  EXPECT_EQ(GoodGga("120000.20"), kBoth);
  EXPECT_TRUE(merger_.incomplete());
  EXPECT_EQ(GoodRmc("120000.20"), "-");
  EXPECT_EQ(Flush(), "-");
  EXPECT_EQ(GoodRmc("120000.20"), "-");
  EXPECT_EQ(GoodGga("120000.20"), kBoth);
}

TEST_F(NmeaEpochTest, WithoutAFixThereIsNoLocationAndNoTime) {
  Add("GPRMC,120000,V,4807.038,N,01131.000,E,1.0,2.0,060180,,,N");
  EXPECT_EQ(Add("GPGGA,120000,,,,,0,03,99.9,,M,,M,,"), R"({"satellites":3,"fix":"none"})");
  // One of the two is not enough.
  GoodRmc("120001");
  EXPECT_EQ(Add("GPGGA,120001,4807.038,N,01131.000,E,0,03,99.9,5.0,M,,M,,"),
            R"({"satellites":3,"fix":"none"})");
}

TEST_F(NmeaEpochTest, SentencesWithoutATimeAreDropped) {
  EXPECT_EQ(Add("GPRMC,,V,,,,,,,,,,N"), "-");
  EXPECT_EQ(Add("GPGGA,,,,,,0,,,,M,,M,,"), "-");
  EXPECT_FALSE(merger_.incomplete());
}

TEST_F(NmeaEpochTest, EachSideOfMidnightHasTheDateOfItsOwnRmc) {
  Add(std::string("GPRMC,235959.90,A,") + kFix + ",0,,311225,,,A");
  const std::string last = Add(std::string("GPRMC,000000.00,A,") + kFix + ",0,,010126,,,A");
  EXPECT_NE(last.find("2025-12-31T23:59:59.900Z"), std::string::npos) << last;
  EXPECT_NE(Flush().find("2026-01-01T00:00:00.000Z"), std::string::npos);
}

TEST_F(NmeaEpochTest, NamesTheKindOfFix) {
  const std::pair<const char*, const char*> by_quality[] = {
      {"1", "gps"},       {"2", "dgps"},      {"3", "pps"},    {"4", "rtk"},
      {"5", "rtk-float"}, {"6", "estimated"}, {"7", "manual"}, {"8", "simulated"}};
  for (const auto& [quality, name] : by_quality) {
    Add(std::string("GPGGA,120000,") + kFix + "," + quality + ",08,0.9,,M,,M,,");
    EXPECT_NE(Flush().find(std::string("\"fix\":\"") + name + '"'), std::string::npos) << quality;
  }
  const std::pair<const char*, const char*> by_mode[] = {
      {"A", "gps"}, {"D", "dgps"},      {"P", "pps"},    {"R", "rtk"},      {"F", "rtk-float"},
      {"", "gps"},  {"E", "estimated"}, {"M", "manual"}, {"S", "simulated"}};
  for (const auto& [mode, name] : by_mode) {
    Add(std::string("GPRMC,120000,A,") + kFix + ",0,,230625,,," + mode);
    EXPECT_NE(Flush().find(std::string("\"fix\":\"") + name + '"'), std::string::npos) << mode;
  }
}

}  // namespace
}  // namespace tidegate::nmea
