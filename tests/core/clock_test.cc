#include "core/clock.h"

#include <gtest/gtest.h>
#include <sys/timex.h>

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

TEST(SystemClock, SaysOfItsBeingSynchronisedWhatTheKernelSays) {
  timex request{};
  const bool synced = adjtimex(&request) >= 0 && (request.status & STA_UNSYNC) == 0;
  const SystemClock clock;
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(clock.Synced(), synced);
}

}  // namespace
}  // namespace tidegate
