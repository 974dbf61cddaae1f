#include "core/local_time.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>

#include "core/time_format.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;

// Rules of POSIX, so that no zone files are needed.
constexpr const char* kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";

class LocalTimeTest : public ::testing::Test {
 protected:
  LocalTimeTest() {
    if (const char* zone = std::getenv("TZ")) before_ = zone;
  }
  ~LocalTimeTest() override {
    before_ ? setenv("TZ", before_->c_str(), 1) : unsetenv("TZ");
    tzset();
  }
  void SetZone(const char* zone) {
    setenv("TZ", zone, 1);
    tzset();
  }
  static WallTime At(const char* text) { return *ParseTime(text); }

 private:
  std::optional<std::string> before_;
};

TEST_F(LocalTimeTest, TheTimeOfDayIsThatOfTheZone) {
  SetZone("UTC0");
  EXPECT_EQ(LocalTimeOfDay(At("2026-01-10T13:05:09Z")), 13h + 5min + 9s);
  SetZone(kBerlin);
  EXPECT_EQ(LocalTimeOfDay(At("2026-01-10T13:05:09Z")), 14h + 5min + 9s);
  EXPECT_EQ(LocalTimeOfDay(At("2026-07-10T13:05:09Z")), 15h + 5min + 9s);
  EXPECT_EQ(LocalZoneName(At("2026-07-10T13:05:09Z")), "CEST");
}

TEST_F(LocalTimeTest, MidnightIsThatOfTheZone) {
  SetZone("UTC0");
  EXPECT_EQ(NextLocalMidnight(At("2026-01-10T13:05:09Z")), At("2026-01-11T00:00:00Z"));
  EXPECT_EQ(NextLocalMidnight(At("2026-01-11T00:00:00Z")), At("2026-01-12T00:00:00Z"));
  SetZone("<-03>3");
  EXPECT_EQ(NextLocalMidnight(At("2026-01-10T02:59:59Z")), At("2026-01-10T03:00:00Z"));
}

TEST_F(LocalTimeTest, ADayMayHave23Or25Hours) {
  SetZone(kBerlin);
  EXPECT_EQ(NextLocalMidnight(At("2026-03-28T23:00:00Z")), At("2026-03-29T22:00:00Z"));
  EXPECT_EQ(NextLocalMidnight(At("2026-10-24T22:00:00Z")), At("2026-10-25T23:00:00Z"));
}

}  // namespace
}  // namespace tidegate
