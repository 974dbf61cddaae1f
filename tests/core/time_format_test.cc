#include "core/time_format.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace tidegate {
namespace {

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

}  // namespace
}  // namespace tidegate
