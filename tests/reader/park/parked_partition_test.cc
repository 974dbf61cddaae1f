#include "reader/park/parked_partition.h"

#include <gtest/gtest.h>

namespace tidegate::reader {
namespace {

using std::chrono::seconds;

class ParkedPartitionTest : public testing::Test {
 protected:
  // Delivers the record at that offset, which lands if it may.
  bool Land(int64_t offset, const std::string& database) {
    if (!partition_.Deliver(offset, database)) return false;
    partition_.Landed(database, offset);
    return true;
  }
  // Delivers the record at that offset, whose database refuses it.
  void Refuse(int64_t offset, const std::string& database, BootTime now = {}) {
    ASSERT_TRUE(partition_.Deliver(offset, database));
    partition_.Failed(database, offset, "down", now);
  }

  ParkedPartition partition_{{.first_wait = seconds(1), .longest_wait = seconds(4)}};
};

TEST_F(ParkedPartitionTest, WhatLandsMovesThePosition) {
  EXPECT_EQ(partition_.position(), std::nullopt);
  EXPECT_TRUE(Land(5, "a"));
  EXPECT_TRUE(Land(7, "b"));
  EXPECT_EQ(partition_.position(), 8);
  EXPECT_FALSE(Land(6, "b")) << "it was delivered before";
}

TEST_F(ParkedPartitionTest, ADatabaseThatFailsHoldsThePositionAndNoOtherRecord) {
  Refuse(0, "a");
  EXPECT_TRUE(Land(1, "b"));
  EXPECT_FALSE(Land(2, "a")) << "later records of one database wait for earlier ones";
  EXPECT_EQ(partition_.position(), 0);
  EXPECT_TRUE(partition_.Waits("a"));
  EXPECT_FALSE(partition_.Waits("b"));
}

TEST_F(ParkedPartitionTest, ATurnLandsWhatWaitsFromItsCursorOn) {
  Refuse(0, "a");
  Land(1, "b");
  Land(2, "a");
  EXPECT_EQ(partition_.BeginTurn({}), std::nullopt) << "it is not due yet";
  EXPECT_EQ(partition_.BeginTurn(seconds(1)), 0);
  EXPECT_TRUE(Land(0, "a"));
  EXPECT_FALSE(Land(1, "b"));
  EXPECT_FALSE(partition_.TurnIsOver());
  EXPECT_TRUE(Land(2, "a"));
  EXPECT_TRUE(partition_.TurnIsOver());
  EXPECT_TRUE(Land(3, "a")) << "it has reached the forward position";
  EXPECT_EQ(partition_.EndTurn(), std::nullopt);
  EXPECT_FALSE(partition_.Waits("a"));
  EXPECT_EQ(partition_.position(), 4);
}

TEST_F(ParkedPartitionTest, ADatabaseThatFailsAgainWaitsLongerAndEndsItsTurn) {
  Refuse(0, "a");
  Land(1, "b");
  EXPECT_EQ(partition_.BeginTurn(seconds(1)), 0);
  Refuse(0, "a", seconds(1));
  EXPECT_TRUE(partition_.TurnIsOver());
  EXPECT_EQ(partition_.EndTurn(), 2);
  EXPECT_EQ(partition_.BeginTurn(seconds(2)), std::nullopt);
  EXPECT_EQ(partition_.BeginTurn(seconds(3)), 0);
}

TEST_F(ParkedPartitionTest, ATurnServesEveryDatabaseThatIsDue) {
  Refuse(0, "a");
  Refuse(1, "b");
  Refuse(2, "c", seconds(10));
  EXPECT_EQ(partition_.BeginTurn(seconds(5)), 0);
  Refuse(0, "a", seconds(5));
  EXPECT_FALSE(partition_.TurnIsOver());
  EXPECT_TRUE(Land(1, "b"));
  EXPECT_FALSE(Land(2, "c"));
  EXPECT_TRUE(partition_.TurnIsOver());
  EXPECT_EQ(partition_.EndTurn(), std::nullopt);
  EXPECT_FALSE(partition_.Waits("b"));
  EXPECT_EQ(partition_.position(), 0);
}

TEST_F(ParkedPartitionTest, ATurnThatIsCutShortContinuesAtTheCursor) {
  Refuse(0, "a");
  Land(1, "a");
  Land(2, "b");
  EXPECT_EQ(partition_.BeginTurn(seconds(1)), 0);
  EXPECT_TRUE(Land(0, "a"));
  EXPECT_EQ(partition_.EndTurn(), 3);
  EXPECT_TRUE(partition_.Waits("a"));
  EXPECT_EQ(partition_.BeginTurn(seconds(1)), 1);
}

TEST_F(ParkedPartitionTest, AnotherLogIsTakenFromItsBeginning) {
  EXPECT_EQ(partition_.BeginAnew(), 0);
  Land(1, "b");
  Refuse(2, "a");
  Land(9, "b");
  EXPECT_EQ(partition_.BeginTurn(seconds(1)), 2);
  EXPECT_EQ(partition_.BeginAnew(), 8);
  EXPECT_FALSE(partition_.in_turn());
  EXPECT_FALSE(partition_.Waits("a"));
  EXPECT_EQ(partition_.position(), std::nullopt);
  EXPECT_TRUE(Land(0, "a"));
  EXPECT_EQ(partition_.position(), 1);
}

TEST_F(ParkedPartitionTest, WhatIsDeletedIsSkippedAndCounted) {
  Refuse(0, "a");
  Land(9, "b");
  EXPECT_EQ(partition_.Deleted(0), 0);
  EXPECT_EQ(partition_.Deleted(4), 4);
  EXPECT_EQ(partition_.BeginTurn(seconds(1)), 4);
}

}  // namespace
}  // namespace tidegate::reader
