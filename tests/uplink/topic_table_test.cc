#include "uplink/topic_table.h"

#include <gtest/gtest.h>

namespace tidegate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class TopicTableTest : public ::testing::Test {
 protected:
  TopicTable table_{{milliseconds(100), seconds(30)}, 1};
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
  table_.Sent(a_);
  table_.Sent(a_);
  table_.CameBack(a_);
  EXPECT_FALSE(table_.Open(a_, now_));
  EXPECT_TRUE(table_.Open(b_, now_));
  table_.Acked(a_);
  EXPECT_TRUE(table_.Open(a_, now_));
}

TEST_F(TopicTableTest, ManyFailuresAtOnceAreOneStepOfTheBackoff) {
  for (int i = 0; i < 1000; ++i) table_.WaitFrom(a_, now_ + BootTime(i));
  EXPECT_FALSE(table_.Open(a_, now_));
  EXPECT_TRUE(table_.Open(a_, now_ + milliseconds(100)));
}

TEST_F(TopicTableTest, TheNextOpeningIsTheEarliest) {
  EXPECT_EQ(table_.NextOpening(now_), std::nullopt);
  table_.WaitFrom(a_, now_);
  const auto next = table_.NextOpening(now_);
  ASSERT_TRUE(next.has_value());
  EXPECT_FALSE(table_.Open(a_, *next - BootTime(1)));
  EXPECT_TRUE(table_.Open(a_, *next));
  EXPECT_EQ(table_.NextOpening(*next), std::nullopt);
}

}  // namespace
}  // namespace tidegate
