#include "reader/serve/rate_limit.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"

namespace tidegate::reader {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(RateLimit, ABurstMayPassAndThenTheRate) {
  FakeClock clock;
  RateLimit limit({.per_second = 2, .burst = 3});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limit.Take("a", clock.SinceBoot()));
  EXPECT_EQ(limit.Take("a", clock.SinceBoot()), seconds(1));
  clock.Advance(milliseconds(500));
  EXPECT_FALSE(limit.Take("a", clock.SinceBoot()));
  EXPECT_TRUE(limit.Take("a", clock.SinceBoot()));
  clock.Advance(seconds(100));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limit.Take("a", clock.SinceBoot()));
  EXPECT_TRUE(limit.Take("a", clock.SinceBoot()));
}

TEST(RateLimit, NamesDoNotShareABucket) {
  FakeClock clock;
  RateLimit limit({.per_second = 1, .burst = 1});
  EXPECT_FALSE(limit.Take("a", clock.SinceBoot()));
  EXPECT_FALSE(limit.Take("b", clock.SinceBoot()));
  EXPECT_TRUE(limit.Take("a", clock.SinceBoot()));
}

TEST(RateLimit, TheNameThatAskedLongestAgoIsForgotten) {
  FakeClock clock;
  RateLimit limit({.per_second = 1, .burst = 1, .max_names = 2});
  EXPECT_FALSE(limit.Take("a", clock.SinceBoot()));
  EXPECT_FALSE(limit.Take("b", clock.SinceBoot()));
  EXPECT_TRUE(limit.Take("a", clock.SinceBoot()));
  EXPECT_FALSE(limit.Take("c", clock.SinceBoot()));  // In the place of b.
  EXPECT_TRUE(limit.Take("a", clock.SinceBoot()));
  EXPECT_FALSE(limit.Take("b", clock.SinceBoot()));
}

TEST(RateLimitDeathTest, ALimitThatLetsNothingPassAborts) {
  EXPECT_DEATH(RateLimit({.per_second = 0}), "lets something pass");
  EXPECT_DEATH(RateLimit({.max_names = 0}), "lets something pass");
}

}  // namespace
}  // namespace tidegate::reader
