#include "reader/land/waiting_since.h"

#include <gtest/gtest.h>

#include <array>

namespace tidegate::reader {
namespace {

const Partition kFirst{"t", 0};
const Partition kSecond{"t", 1};

WallTime At(int seconds) {
  return WallTime(std::chrono::seconds(seconds));
}

TEST(WaitingSince, TheOldestInHandCounts) {
  WaitingSince waiting;
  EXPECT_EQ(waiting.Of(kFirst), std::nullopt);
  EXPECT_TRUE(waiting.OnMessage(kFirst, At(10)));
  EXPECT_FALSE(waiting.OnMessage(kFirst, At(20)));
  EXPECT_TRUE(waiting.OnMessage(kSecond, At(15)));
  waiting.OnLag(kFirst, 2, At(30));
  EXPECT_EQ(waiting.Of(kFirst), At(10));
  EXPECT_EQ(waiting.Of(kSecond), At(15));
}

TEST(WaitingSince, WhatHasLandedWaitsNoLonger) {
  WaitingSince waiting;
  waiting.OnMessage(kFirst, At(10));
  EXPECT_EQ(waiting.OnAllLanded(), std::vector{kFirst});
  EXPECT_EQ(waiting.Of(kFirst), std::nullopt);
  EXPECT_EQ(waiting.OnAllLanded(), std::vector<Partition>{});
}

TEST(WaitingSince, WhatIsStillInKafkaWasWrittenAfterWhatHasLanded) {
  WaitingSince waiting;
  waiting.OnMessage(kFirst, At(10));
  waiting.OnMessage(kFirst, At(20));
  waiting.OnAllLanded();
  for (int now : {30, 40}) {
    waiting.OnLag(kFirst, 5, At(now));
    EXPECT_EQ(waiting.Of(kFirst), At(20));
  }
}

TEST(WaitingSince, AMessageAfterAQuietHourHasNotWaitedThatLong) {
  WaitingSince waiting;
  waiting.OnMessage(kFirst, At(10));
  waiting.OnAllLanded();
  waiting.OnLag(kFirst, 0, At(3'600));
  EXPECT_EQ(waiting.Of(kFirst), std::nullopt);
  waiting.OnLag(kFirst, 1, At(3'602));
  EXPECT_EQ(waiting.Of(kFirst), At(3'600));
}

TEST(WaitingSince, ABacklogOfUnknownAgeCountsFromWhenItWasSeen) {
  WaitingSince waiting;
  waiting.OnLag(kFirst, 100, At(50));
  waiting.OnLag(kFirst, 110, At(60));
  EXPECT_EQ(waiting.Of(kFirst), At(50));
  waiting.OnMessage(kFirst, At(7));
  EXPECT_EQ(waiting.Of(kFirst), At(7));
}

TEST(WaitingSince, APartitionThatIsNotOursIsForgotten) {
  WaitingSince waiting;
  waiting.OnMessage(kFirst, At(10));
  waiting.OnMessage(kSecond, At(10));
  waiting.Forget(std::array{kFirst});
  EXPECT_EQ(waiting.Of(kFirst), std::nullopt);
  EXPECT_EQ(waiting.OnAllLanded(), std::vector{kSecond});
}

}  // namespace
}  // namespace tidegate::reader
