#include "uplink/topic_table.h"

#include <gtest/gtest.h>

namespace tidegate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class TopicTableTest : public ::testing::Test {
 protected:
  static constexpr size_t kBytes = 10;
  void Send(TopicIndex topic, int count) {
    for (int i = 0; i < count; ++i) table_.Sent(topic, kBytes, now_);
  }
  TopicTable table_{
      {milliseconds(100), seconds(30)}, 1, {.max_records = 100, .max_bytes = 100'000}};
  TopicIndex a_ = table_.IndexOf("a");
  TopicIndex b_ = table_.IndexOf("b");
  BootTime now_ = seconds(1000);
};

TEST_F(TopicTableTest, ANameHasOneIndex) {
  EXPECT_EQ(table_.IndexOf("a"), a_);
  EXPECT_NE(a_, b_);
  EXPECT_EQ(table_.NameOf(b_), "b");
}

TEST_F(TopicTableTest, ClosedWhileAnythingThatFollowsIsOnItsWay) {
  Send(a_, 2);
  table_.CameBack(a_, kBytes);
  EXPECT_FALSE(table_.Open(a_, now_));
  EXPECT_TRUE(table_.Open(b_, now_));
  table_.Acked(a_, kBytes, now_);
  EXPECT_TRUE(table_.Open(a_, now_));
}

TEST_F(TopicTableTest, ManyFailuresAtOnceAreOneStepOfTheBackoff) {
  for (int i = 0; i < 1000; ++i) table_.WaitFrom(a_, now_ + BootTime(i));
  EXPECT_FALSE(table_.Open(a_, now_));
  EXPECT_TRUE(table_.Open(a_, now_ + milliseconds(100)));
}

TEST_F(TopicTableTest, TheNextOpeningIsTheEarliest) {
  EXPECT_EQ(table_.NextOpening(now_, false), std::nullopt);
  table_.WaitFrom(a_, now_);
  const auto next = table_.NextOpening(now_, false);
  ASSERT_TRUE(next.has_value());
  EXPECT_FALSE(table_.Open(a_, *next - BootTime(1)));
  EXPECT_TRUE(table_.Open(a_, *next));
  EXPECT_EQ(table_.NextOpening(*next, false), std::nullopt);
}

TEST_F(TopicTableTest, OneTopicLeavesRoomForTheOthers) {
  Send(a_, 79);
  EXPECT_TRUE(table_.Open(a_, now_));
  Send(a_, 1);
  EXPECT_FALSE(table_.Open(a_, now_));
  EXPECT_TRUE(table_.Open(b_, now_));
  Send(b_, 16);
  EXPECT_FALSE(table_.Open(b_, now_));
  EXPECT_TRUE(table_.Open(table_.IndexOf("c"), now_));
}

TEST_F(TopicTableTest, BytesAreSharedToo) {
  table_.Sent(a_, 80'000, now_);
  EXPECT_FALSE(table_.Open(a_, now_));
  EXPECT_TRUE(table_.Open(b_, now_));
  table_.Acked(a_, 80'000, now_);
  EXPECT_TRUE(table_.Open(a_, now_));
}

TEST_F(TopicTableTest, AFullTopicOpensWhenHalfOfItsShareIsFree) {
  Send(a_, 80);
  for (int i = 0; i < 39; ++i) table_.Acked(a_, kBytes, now_);
  EXPECT_FALSE(table_.Open(a_, now_));
  EXPECT_TRUE(table_.Busy(a_, now_));
  EXPECT_FALSE(table_.Busy(a_, now_ + seconds(1)));
  for (int i = 0; i < 3; ++i) table_.Acked(a_, kBytes, now_);
  EXPECT_TRUE(table_.Open(a_, now_));
}

TEST_F(TopicTableTest, ATopicThatFailedHasFewRecordsInFlightUntilOneIsAcknowledged) {
  table_.WaitFrom(a_, now_);
  now_ += seconds(1);
  EXPECT_TRUE(table_.Stuck(a_));
  Send(a_, 10);
  EXPECT_FALSE(table_.Open(a_, now_));
  table_.Acked(a_, kBytes, now_);
  EXPECT_FALSE(table_.Stuck(a_));
  EXPECT_TRUE(table_.Open(a_, now_));
}

TEST_F(TopicTableTest, WhatIsInFlightForLongWithoutAnAcknowledgementIsHeld) {
  Send(a_, 5);
  now_ += milliseconds(90);
  Send(b_, 3);
  now_ += milliseconds(10);
  EXPECT_EQ(table_.HeldNow(now_).records, 5U);
  EXPECT_EQ(table_.HeldNow(now_).bytes, 5 * kBytes);
  EXPECT_EQ(table_.NextOpening(now_, true), now_ + milliseconds(90));
  EXPECT_EQ(table_.NextOpening(now_, false), std::nullopt);
  table_.Acked(a_, kBytes, now_);
  EXPECT_EQ(table_.HeldNow(now_).records, 0U);
}

TEST_F(TopicTableTest, AMinuteWithoutAnAcknowledgementIsOverdueUnlessItStandsInNobodysWay) {
  Send(a_, 11);
  Send(b_, 10);
  EXPECT_EQ(table_.NextOverdue(), now_ + std::chrono::minutes(1));
  now_ += std::chrono::seconds(59);
  EXPECT_FALSE(table_.CloseOverdue(now_));
  now_ += seconds(1);
  EXPECT_TRUE(table_.CloseOverdue(now_));
  EXPECT_TRUE(table_.Stuck(a_));
  EXPECT_FALSE(table_.Stuck(b_));
  table_.SetLeaving(b_, true);
  EXPECT_FALSE(table_.Open(b_, now_));
  EXPECT_TRUE(table_.CloseOverdue(now_));
  EXPECT_TRUE(table_.Stuck(b_));
}

TEST_F(TopicTableTest, ManyStuckTopicsHaveAQuarterInFlightTogether) {
  std::vector<TopicIndex> topics;
  for (int i = 0; i < 4; ++i) topics.push_back(table_.IndexOf("stuck-" + std::to_string(i)));
  for (const TopicIndex topic : topics) table_.WaitFrom(topic, now_);
  now_ += seconds(1);
  Send(topics[0], 10);
  Send(topics[1], 10);
  EXPECT_TRUE(table_.Open(topics[2], now_));
  Send(topics[2], 5);
  EXPECT_FALSE(table_.Open(topics[2], now_));
  EXPECT_FALSE(table_.Open(topics[3], now_));
  EXPECT_TRUE(table_.Open(a_, now_));
  table_.Acked(topics[0], kBytes, now_);
  EXPECT_TRUE(table_.Open(topics[3], now_));
}

TEST_F(TopicTableTest, ATopicOnTrialIsReadyAndNotOpen) {
  table_.SetTrial(a_, true);
  EXPECT_FALSE(table_.Open(a_, now_));
  EXPECT_TRUE(table_.Ready(a_, now_));
}

}  // namespace
}  // namespace tidegate
