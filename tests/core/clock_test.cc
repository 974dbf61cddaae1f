#include "core/clock.h"

#include <gtest/gtest.h>

namespace tidegate {
namespace {

using namespace std::chrono_literals;

TEST(SystemClock, SinceBootMovesOnAndTheBootHasAnId) {
  const SystemClock clock;
  const BootTime before = clock.SinceBoot();
  EXPECT_GE(clock.SinceBoot(), before);
  EXPECT_GT(before, 0ns);
  EXPECT_EQ(clock.BootId().size(), 32U);
  EXPECT_EQ(clock.BootId(), SystemClock().BootId());
  EXPECT_GT(clock.Now().time_since_epoch(), 0ms);
}

}  // namespace
}  // namespace tidegate
