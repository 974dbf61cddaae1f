#include "reader/project/laggards.h"

#include <gtest/gtest.h>

#include "tests/support/reader/fake_source.h"

namespace tidegate::reader {
namespace {

using std::chrono::seconds;

class LaggardsTest : public testing::Test {
 protected:
  // The database of acme has missed what follows offset 6, and is read again up to 20.
  void ReturnAndReadAgain() {
    laggards_.Begin("acme", "no answer", seconds(0), seconds(0));
    laggards_.LeaveOut("acme", kHeartbeats0, 7);
    laggards_.OnRewound("acme", kHeartbeats0, 20, seconds(1));
    laggards_.End("acme");
  }

  Laggards laggards_{{.most = 100}};
};

TEST_F(LaggardsTest, NoOffsetAfterTheFirstThatWasLeftOutIsCommitted) {
  laggards_.Begin("acme", "no answer", seconds(0), seconds(0));
  EXPECT_FALSE(laggards_.Takes("acme", kHeartbeats0, 7));
  EXPECT_TRUE(laggards_.Takes("globex", kHeartbeats0, 7));
  laggards_.LeaveOut("acme", kHeartbeats0, 7);
  laggards_.LeaveOut("acme", kHeartbeats0, 9);
  EXPECT_EQ(laggards_.OnDone(kHeartbeats0, 20, seconds(1)), 7);
  EXPECT_EQ(laggards_.OnDone(kHeartbeats1, 20, seconds(1)), 20);
  laggards_.End("acme");
  EXPECT_EQ(laggards_.OnDone(kHeartbeats0, 20, seconds(1)), 20);
}

TEST_F(LaggardsTest, WhatIsReadAgainIsFoldedForTheLaggardAlone) {
  ReturnAndReadAgain();
  EXPECT_TRUE(laggards_.Takes("acme", kHeartbeats0, 7));
  EXPECT_FALSE(laggards_.Takes("globex", kHeartbeats0, 8));
  EXPECT_TRUE(laggards_.Takes("globex", kHeartbeats0, 20));
  EXPECT_EQ(laggards_.OnDone(kHeartbeats0, 8, seconds(1)), 8);
  // One that begins to lag meanwhile keeps its own place, and what was done for it stays done.
  laggards_.Begin("globex", "no answer", seconds(0), seconds(0));
  laggards_.LeaveOut("globex", kHeartbeats0, 9);
  EXPECT_EQ(laggards_.OnDone(kHeartbeats0, 10, seconds(1)), 10);
  laggards_.LeaveOut("globex", kHeartbeats0, 21);
  EXPECT_EQ(laggards_.OnDone(kHeartbeats0, 30, seconds(1)), 21);
}

TEST_F(LaggardsTest, OneThatFailsAgainIsReadAgainFromThere) {
  ReturnAndReadAgain();
  laggards_.Begin("acme", "no answer", seconds(1), seconds(0));
  laggards_.LeaveOut("acme", kHeartbeats0, 12);
  EXPECT_EQ(laggards_.OnDone(kHeartbeats0, 30, seconds(1)), 12);
}

TEST_F(LaggardsTest, WhatIsReadAgainInVainIsReadToItsEndAndTakesAPartOfTheTime) {
  laggards_.Begin("acme", "disk full", seconds(0), seconds(0));
  laggards_.LeaveOut("acme", kHeartbeats0, 7);
  ASSERT_EQ(laggards_.Due(seconds(1)), "acme");
  laggards_.OnRewound("acme", kHeartbeats0, 20, seconds(1));
  laggards_.End("acme");
  laggards_.Begin("acme", "disk full", seconds(1), seconds(0));
  laggards_.LeaveOut("acme", kHeartbeats0, 7);
  EXPECT_FALSE(laggards_.Due(seconds(100)));
  EXPECT_EQ(laggards_.OnDone(kHeartbeats0, 20, seconds(101)), 7);
  EXPECT_FALSE(laggards_.Due(seconds(1'100)));
  EXPECT_EQ(laggards_.Due(seconds(1'101)), "acme");
}

TEST_F(LaggardsTest, TheBackoffGrowsUntilWhatWasLeftOutIsFolded) {
  BootTime now{};
  for (const int wait : {1, 2, 4, 8}) {
    laggards_.Begin("acme", "disk full", now, seconds(0));
    laggards_.LeaveOut("acme", kHeartbeats0, 7);
    laggards_.OnDone(kHeartbeats0, 20, now);
    EXPECT_FALSE(laggards_.Due(now + seconds(wait) - std::chrono::milliseconds(1)));
    now += seconds(wait);
    ASSERT_EQ(laggards_.Due(now), "acme");
    laggards_.OnRewound("acme", kHeartbeats0, 20, now);
    laggards_.End("acme");
  }
  laggards_.OnDone(kHeartbeats0, 20, now);
  laggards_.Begin("acme", "disk full", now, seconds(0));
  EXPECT_EQ(laggards_.Due(now + seconds(1)), "acme") << "it has caught up meanwhile";
}

TEST_F(LaggardsTest, WhatKafkaHasDeletedIsNotWaitedForForEver) {
  ReturnAndReadAgain();
  laggards_.Begin("acme", "no answer", seconds(2), seconds(0));
  EXPECT_FALSE(laggards_.Due(seconds(600)));
  EXPECT_EQ(laggards_.Due(seconds(601)), "acme");
}

TEST_F(LaggardsTest, AttemptsTakeAPartOfTheTime) {
  laggards_.Begin("acme", "no answer", seconds(0), seconds(5));
  laggards_.Begin("globex", "no answer", seconds(5), seconds(5));
  EXPECT_FALSE(laggards_.Due(seconds(54)));
  EXPECT_EQ(laggards_.Due(seconds(55)), "acme");
  laggards_.Begin("acme", "no answer", seconds(60), seconds(5));
  EXPECT_FALSE(laggards_.Due(seconds(109)));
  EXPECT_EQ(laggards_.Due(seconds(110)), "globex");
}

TEST_F(LaggardsTest, TooManyOffsetsAreGivenUp) {
  laggards_.Begin("acme", "no answer", seconds(0), seconds(0));
  EXPECT_EQ(laggards_.LeaveOut("acme", kHeartbeats0, 0), 0);
  EXPECT_EQ(laggards_.LeaveOut("acme", kHeartbeats0, 99), 0);
  EXPECT_EQ(laggards_.LeaveOut("acme", kHeartbeats0, 100), 100);
  EXPECT_EQ(laggards_.OnDone(kHeartbeats0, 200, seconds(1)), 100);
}

}  // namespace
}  // namespace tidegate::reader
