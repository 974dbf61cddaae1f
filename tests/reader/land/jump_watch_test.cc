#include "reader/land/jump_watch.h"

#include <gtest/gtest.h>

#include "reader/land/offset_losses.h"
#include "tests/support/reader/fake_source.h"
#include "tests/support/reader/memory_projection_store.h"

namespace tidegate::reader {
namespace {

constexpr WallTime kNow{std::chrono::milliseconds(1'750'639'021'000)};

class JumpWatchTest : public testing::Test {
 protected:
  void See(int64_t offset) { watch_.OnMessage(kHeartbeats0, offset); }
  void RecordLosses() { ASSERT_TRUE(watch_.RecordLosses(kNow).ok()); }
  void LandedUpTo(int64_t next) { database_.positions[PartitionName(kHeartbeats0)] = next; }
  // The losses as "from-to".
  std::vector<std::string> Losses() {
    std::vector<std::string> losses;
    for (const auto& [key, loss] : database_.projections) {
      EXPECT_EQ(key.ns.collection, "losses");
      EXPECT_EQ(loss.members.Text("kind"), "offsets");
      EXPECT_EQ(loss.members.Integer("count"),
                loss.members.Integer("to") - loss.members.Integer("from"));
      losses.push_back(std::to_string(loss.members.Integer("from")) + "-" +
                       std::to_string(loss.members.Integer("to")));
    }
    return losses;
  }
  using Spans = std::vector<std::string>;

  FakeSource source_;
  MemoryDatabase database_;
  MemoryProjectionStore store_{database_};
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  OffsetLosses keeper_{"tidegate", store_, log_};
  JumpWatch watch_{source_, keeper_, log_};
};

TEST_F(JumpWatchTest, WhatRetentionTookWhileTheReaderWasAwayIsALoss) {
  LandedUpTo(100);
  source_.Expire(kHeartbeats0, 150);
  See(150);
  RecordLosses();
  EXPECT_EQ(Losses(), Spans{"100-150"});
}

TEST_F(JumpWatchTest, WhatRetentionTookInTheMiddleOfReadingIsALoss) {
  See(10);
  RecordLosses();
  source_.Expire(kHeartbeats0, 30);
  See(30);
  RecordLosses();
  EXPECT_EQ(Losses(), Spans{"11-30"});
}

TEST_F(JumpWatchTest, HolesOfCompactionAndTransactionsAreNoLoss) {
  LandedUpTo(100);
  source_.Expire(kHeartbeats0, 40);
  See(120);
  See(125);
  RecordLosses();
  EXPECT_EQ(Losses(), Spans{});
}

TEST_F(JumpWatchTest, OnlyWhatWasDeletedIsLostOfAHoleThatWentOn) {
  LandedUpTo(100);
  source_.Expire(kHeartbeats0, 110);
  See(120);
  RecordLosses();
  EXPECT_EQ(Losses(), Spans{"100-110"});
}

TEST_F(JumpWatchTest, WhatIsReadAgainIsNoJump) {
  LandedUpTo(100);
  See(40);
  See(41);
  RecordLosses();
  See(42);
  RecordLosses();
  EXPECT_EQ(Losses(), Spans{});
}

TEST_F(JumpWatchTest, WhatWasThereBeforeTheFirstStartWasNeverExpected) {
  source_.Expire(kHeartbeats0, 500);
  See(500);
  RecordLosses();
  EXPECT_EQ(Losses(), Spans{});
}

TEST_F(JumpWatchTest, ALossThatIsFoundTwiceIsToldOnce) {
  LandedUpTo(100);
  source_.Expire(kHeartbeats0, 150);
  See(150);
  RecordLosses();
  JumpWatch other(source_, keeper_, log_);
  other.OnMessage(kHeartbeats0, 150);
  ASSERT_TRUE(other.RecordLosses(kNow).ok());
  EXPECT_EQ(Losses(), Spans{"100-150"});
}

TEST_F(JumpWatchTest, ALossWaitsForTheDatabase) {
  LandedUpTo(100);
  source_.Expire(kHeartbeats0, 150);
  See(150);
  bool away = true;
  store_.Intercept([&](bool) -> Status {
    return away ? Status(Error{ErrorCode::kUnavailable, "away"}) : Status();
  });
  EXPECT_FALSE(watch_.RecordLosses(kNow).ok());
  away = false;
  RecordLosses();
  EXPECT_EQ(Losses(), Spans{"100-150"});
}

TEST_F(JumpWatchTest, ABrokerThatDoesNotAnswerIsAskedAgain) {
  LandedUpTo(100);
  source_.Expire(kHeartbeats0, 150);
  source_.HideEarliest(true);
  See(150);
  RecordLosses();
  EXPECT_EQ(Losses(), Spans{});
  source_.HideEarliest(false);
  RecordLosses();
  EXPECT_EQ(Losses(), Spans{"100-150"});
}

TEST_F(JumpWatchTest, APartitionThatComesBackIsExpectedFromTheLandingsPosition) {
  See(10);
  RecordLosses();
  watch_.Forget(std::vector{kHeartbeats0});
  LandedUpTo(60);  // Another worker went on there.
  source_.Expire(kHeartbeats0, 55);
  See(60);
  RecordLosses();
  EXPECT_EQ(Losses(), Spans{});
}

}  // namespace
}  // namespace tidegate::reader
