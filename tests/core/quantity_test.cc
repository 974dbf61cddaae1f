#include "core/quantity.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace tidegate {
namespace {

using namespace std::chrono_literals;

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

}  // namespace
}  // namespace tidegate
