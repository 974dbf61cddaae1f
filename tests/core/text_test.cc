#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/nearest.h"
#include "core/quantity.h"
#include "core/time_format.h"
#include "core/utf8.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

WallTime At(int64_t ms) {
  return WallTime(milliseconds(ms));
}

TEST(FormatTime, IsRfc3339WithMilliseconds) {
  EXPECT_EQ(FormatTime(At(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(FormatTime(At(1'750'639'021'042)), "2025-06-23T00:37:01.042Z");
  EXPECT_EQ(FormatTime(At(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(FormatTime(WallTime::max()), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(FormatTime(WallTime::min()), "0000-01-01T00:00:00.000Z");
}

TEST(ParseTime, ReadsWhatDevicesWrite) {
  const std::vector<std::pair<const char*, int64_t>> cases = {
      {"2025-06-23T00:37:01.042Z", 1'750'639'021'042},
      {"2025-06-23T00:37:01Z", 1'750'639'021'000},
      {"2025-06-23 00:37:01", 1'750'639'021'000},
      {"2025-06-23t00:37:01z", 1'750'639'021'000},
      {"2025-06-23T00:37:01.5", 1'750'639'021'500},
      {"2025-06-23T00:37:01,5Z", 1'750'639'021'500},
      {"2025-06-23T00:37:01.0429999Z", 1'750'639'021'042},
      {"2025-06-23T02:37:01+02:00", 1'750'639'021'000},
      {"2025-06-23T02:37:01+0200", 1'750'639'021'000},
      {"2025-06-22T19:07:01-05:30", 1'750'639'021'000},
      {"2025-06-23T02:37:01+02", 1'750'639'021'000},
      {"2025-06-23T00:37Z", 1'750'639'020'000},
      {"2016-12-31T23:59:60Z", 1'483'228'800'000},
      {"2024-02-29T00:00:00Z", 1'709'164'800'000},
  };
  for (const auto& [text, ms] : cases) EXPECT_EQ(ParseTime(text), At(ms)) << text;
}

TEST(ParseTime, RefusesWhatIsNoTime) {
  for (const char* text : {"",
                           "now",
                           "2025-06-23",
                           "2025-06-23T",
                           "2025-02-30T00:00:00Z",
                           "2023-02-29T00:00:00Z",
                           "2025-13-01T00:00:00Z",
                           "2025-00-01T00:00:00Z",
                           "2025-01-01T24:00:00Z",
                           "2025-01-01T00:60:00Z",
                           "2025-01-01T00:00:61Z",
                           "2025-01-01T00:00:00.Z",
                           "2025-01-01T00:00:00ZZ",
                           "2025-01-01T00:00:00+24:00",
                           "2025-01-01T00:00:00+01:60",
                           "2025-01-01T00:00:00+",
                           "2025-01-01T00:00:00 ",
                           " 2025-01-01T00:00:00",
                           "25-01-01T00:00:00Z",
                           "2025-1-1T00:00:00Z",
                           "0000-01-01T00:00:00+01:00",
                           "9999-12-31T23:59:59-01:00"}) {
    EXPECT_FALSE(ParseTime(text)) << text;
  }
}

TEST(ParseTime, ReadsBackWhatFormatTimeWrites) {
  for (const int64_t ms : {int64_t{0}, int64_t{-62'167'219'200'000}, int64_t{253'402'300'799'999},
                           int64_t{1'750'639'021'042}}) {
    EXPECT_EQ(ParseTime(FormatTime(At(ms))), At(ms));
  }
}

TEST(TimeFromEpoch, TellsSecondsFromMilliseconds) {
  EXPECT_EQ(TimeFromEpoch(1'750'639'021), At(1'750'639'021'000));
  EXPECT_EQ(TimeFromEpoch(1'750'639'021.0425), At(1'750'639'021'043));
  EXPECT_EQ(TimeFromEpoch(1'750'639'021'042), At(1'750'639'021'042));
  EXPECT_EQ(TimeFromEpoch(0), At(0));
  EXPECT_FALSE(TimeFromEpoch(-1));
  EXPECT_FALSE(TimeFromEpoch(1e300));
  EXPECT_FALSE(TimeFromEpoch(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(TimeFromEpoch(std::numeric_limits<double>::infinity()));
}

TEST(ParseDuration, ReadsANumberAndAUnit) {
  EXPECT_EQ(ParseDuration("200ms"), 200ms);
  EXPECT_EQ(ParseDuration("1.5s"), 1500ms);
  EXPECT_EQ(ParseDuration("5m"), 5min);
  EXPECT_EQ(ParseDuration("2h"), 2h);
  EXPECT_EQ(ParseDuration("1d"), 24h);
  EXPECT_EQ(ParseDuration("0s"), 0s);
  EXPECT_EQ(ParseDuration("10000d"), 240'000h);
  for (const char* text : {"", "5", "s", "-1s", "5 s", "5S", "5sec", "1e3s", "nan s", "nans",
                           "infs", "10001d", "99999999999999999999d", "1.s5", "0x5s"}) {
    EXPECT_FALSE(ParseDuration(text)) << text;
  }
}

TEST(FormatDuration, IsTheShortestThatReadsBack) {
  EXPECT_EQ(FormatDuration(200ms), "200ms");
  EXPECT_EQ(FormatDuration(90s), "90s");
  EXPECT_EQ(FormatDuration(5min), "5m");
  EXPECT_EQ(FormatDuration(48h), "2d");
  EXPECT_EQ(FormatDuration(0ms), "0s");
}

TEST(ParseBytes, ReadsANumberAndAnOptionalUnit) {
  EXPECT_EQ(ParseBytes("4096"), 4096U);
  EXPECT_EQ(ParseBytes("1kB"), 1000U);
  EXPECT_EQ(ParseBytes("1KiB"), 1024U);
  EXPECT_EQ(ParseBytes("256MiB"), 268'435'456U);
  EXPECT_EQ(ParseBytes("2GB"), 2'000'000'000U);
  EXPECT_EQ(ParseBytes("4611686018427387904"), uint64_t{1} << 62);
  for (const char* text : {"", "B", "-1", "1.5MiB", "1 MiB", "1mib", "4611686018427387905", "1TiB",
                           "99999999999999999999", "4294967297GiB"}) {
    EXPECT_FALSE(ParseBytes(text)) << text;
  }
}

TEST(FormatBytes, IsTheShortestThatReadsBack) {
  for (const uint64_t bytes : {uint64_t{0}, uint64_t{1}, uint64_t{1000}, uint64_t{4097},
                               uint64_t{268'435'456}, uint64_t{1} << 62}) {
    EXPECT_EQ(ParseBytes(FormatBytes(bytes)), bytes);
  }
  EXPECT_EQ(FormatBytes(268'435'456), "256MiB");
  EXPECT_EQ(FormatBytes(4097), "4097B");
}

TEST(Utf8, TellsWellFormedFromOther) {
  EXPECT_TRUE(IsUtf8(""));
  EXPECT_TRUE(IsUtf8("a\xC3\xA5\xE2\x82\xAC\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF\xEF\xBF\xBF"));
  for (const char* text : {"\x80", "\xC3", "\xC3(", "\xE2\x82", "\xE2(\x82", "\xF0\x9F\x98",
                           "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                           "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80"}) {
    EXPECT_FALSE(IsUtf8(text));
    EXPECT_EQ(Utf8SequenceBytes(text), 0U);
  }
}

TEST(Nearest, NamesTheCandidateAFewEditsAway) {
  const std::vector<std::string> names = {"TIDEGATE_TENANT", "TIDEGATE_TENANTS",
                                          "TIDEGATE_STORE_DIR", "TIDEGATE_STALE_AFTER"};
  EXPECT_EQ(Nearest("TIDEGATE_TENNANT", names), "TIDEGATE_TENANT");
  EXPECT_EQ(Nearest("tidegate_store_dri", names), "TIDEGATE_STORE_DIR");
  EXPECT_EQ(Nearest("TIDEGATE_TENANTS", names), "TIDEGATE_TENANTS");
  EXPECT_EQ(Nearest("TIDEGATE_STALEAFTER", names), "TIDEGATE_STALE_AFTER");
}

TEST(Nearest, IsSilentWhenNothingIsNear) {
  EXPECT_FALSE(Nearest("PATH", {"TIDEGATE_TENANT"}));
  EXPECT_FALSE(Nearest("x", {}));
  EXPECT_FALSE(Nearest("", {"mqtt"}));
  EXPECT_FALSE(Nearest(std::string(100'000, 'a'), {std::string(100'000, 'a')}));
  EXPECT_EQ(Nearest("mqt", {"http", "mqtt", "mqtts"}), "mqtt");
}

}  // namespace
}  // namespace tidegate
