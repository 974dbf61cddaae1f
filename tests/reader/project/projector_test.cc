#include "reader/project/projector.h"

#include "tests/reader/project/projector_fixture.h"

namespace tidegate::reader {
namespace {

TEST_F(ProjectorTest, AMessageThatHasNotLandedWaits) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  StepFor(5);
  EXPECT_EQ(Documents(), 0);
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  Land("e1", kHeartbeats0, 0);
  StepFor(2);
  EXPECT_EQ(Documents(), 1);
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
}

TEST_F(ProjectorTest, AMessageThatWasGivenUpIsPassedOver) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  source_.Push(kHeartbeats0, "poison");
  source_.PushHeartbeat(kHeartbeats0, "e2");
  Land("e2", kHeartbeats0, 2);
  StepFor(2);
  EXPECT_EQ(Documents(), 1);
  EXPECT_EQ(source_.stored(kHeartbeats0), 3);
  EXPECT_NE(registry_.Text().find("skipped_total{reason=\"absent\"} 1"), std::string::npos);
}

TEST_F(ProjectorTest, ARecordThatIsInKafkaTwiceCountsOnce) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  source_.PushHeartbeat(kHeartbeats0, "e1");
  source_.PushHeartbeat(kHeartbeats1, "e1");
  Land("e1", kHeartbeats0, 1);
  Land("e1", kHeartbeats1, 0);
  StepFor(2);
  EXPECT_EQ(Documents(), 1);
  EXPECT_EQ(source_.stored(kHeartbeats0), 2);
  EXPECT_EQ(source_.stored(kHeartbeats1), 1);
}

TEST_F(ProjectorTest, APartitionThatWaitsHoldsNoOtherUp) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  source_.PushHeartbeat(kHeartbeats1, "e2");
  Land("e2", kHeartbeats1, 0);
  StepFor(5);
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  EXPECT_EQ(source_.stored(kHeartbeats1), 1);
}

TEST_F(ProjectorTest, WhatKafkaDeletedBeforeItWasProjectedIsCounted) {
  source_.Commit(kHeartbeats0, 3);
  source_.Expire(kHeartbeats0, 8);
  source_.PushHeartbeat(kHeartbeats0, "e8");
  Land("e8", kHeartbeats0, 8);
  source_.HideEarliest(true);
  StepFor(2);
  EXPECT_EQ(source_.stored(kHeartbeats0), 3) << "the group tells later where it is";
  source_.HideEarliest(false);
  StepFor(5);
  EXPECT_EQ(source_.stored(kHeartbeats0), 9);
  EXPECT_EQ(Documents(), 1);
  EXPECT_NE(registry_.Text().find("projection_missed_total 5"), std::string::npos);
}

TEST_F(ProjectorTest, AGroupThatNeverWasThereHasMissedNothing) {
  source_.Expire(kHeartbeats0, 8);
  source_.PushHeartbeat(kHeartbeats0, "e8");
  Land("e8", kHeartbeats0, 8);
  StepFor(2);
  EXPECT_EQ(source_.stored(kHeartbeats0), 9);
  EXPECT_NE(registry_.Text().find("projection_missed_total 0"), std::string::npos);
}

TEST_F(ProjectorTest, WhatAReplayOfDeadLettersHasLandedIsFoldedThere) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Land("e1", kHeartbeats0, 0);
  database_.landed.begin()->second.dead_letter = LetterPlace{"now", "telemetry.dlq/0", 3};
  StepFor(2);
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
  EXPECT_EQ(Documents(), 0);
  EXPECT_NE(registry_.Text().find("skipped_total{reason=\"repeated\"} 1"), std::string::npos);
}

TEST_F(ProjectorTest, WhatWaitsIsBounded) {
  for (int i = 0; i < 50; ++i) source_.PushHeartbeat(kHeartbeats0, std::to_string(i));
  StepFor(20);
  EXPECT_TRUE(source_.paused(kHeartbeats0));
  EXPECT_EQ(source_.waiting(), 40u);
  for (int i = 0; i < 50; ++i) Land(std::to_string(i), kHeartbeats0, i);
  StepFor(20);
  EXPECT_FALSE(source_.paused(kHeartbeats0));
  EXPECT_EQ(Documents(), 50);
}

TEST_F(ProjectorTest, APartitionThatDoesNotLandTakesNoOthersRoom) {
  for (int i = 0; i < 50; ++i) source_.PushHeartbeat(kHeartbeats0, "slow" + std::to_string(i));
  StepFor(5);
  for (int i = 0; i < 50; ++i) {
    source_.PushHeartbeat(kHeartbeats1, std::to_string(i));
    Land(std::to_string(i), kHeartbeats1, i);
  }
  StepFor(30);
  EXPECT_EQ(Documents(), 50);
  EXPECT_EQ(source_.stored(kHeartbeats1), 50);
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  EXPECT_FALSE(source_.paused());
}

TEST_F(ProjectorTest, ALogThatBeginsAnewIsProjectedFromItsBeginning) {
  for (int i = 0; i < 5; ++i) {
    source_.PushHeartbeat(kHeartbeats0, std::to_string(i));
    Land(std::to_string(i), kHeartbeats0, i);
  }
  StepFor(3);
  ASSERT_EQ(Documents(), 5);
  source_.BeginAnew(kHeartbeats0);
  source_.PushHeartbeat(kHeartbeats0, "new");
  StepFor(5);
  EXPECT_EQ(Documents(), 5) << "the landing has not noticed it yet";
  EXPECT_EQ(registry_.Text().find("skipped_total{reason=\"absent\"} 1"), std::string::npos);
  database_.positions[PartitionName(kHeartbeats0) + "@"] = 1;
  Land("new", kHeartbeats0, 0, 1);
  StepFor(5);
  EXPECT_EQ(Documents(), 6);
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
  EXPECT_NE(registry_.Text().find("tidegate_reader_projected_total 6"), std::string::npos);
}

TEST_F(ProjectorTest, ALogThatBeginsAnewWhileItsPartitionWaitsIsProjected) {
  for (int i = 0; i < 50; ++i) source_.PushHeartbeat(kHeartbeats0, std::to_string(i));
  StepFor(10);
  ASSERT_TRUE(source_.paused(kHeartbeats0));
  source_.BeginAnew(kHeartbeats0);
  source_.PushHeartbeat(kHeartbeats0, "new");
  database_.positions[PartitionName(kHeartbeats0) + "@"] = 1;
  Land("new", kHeartbeats0, 0, 1);
  StepFor(10);
  EXPECT_EQ(Documents(), 1);
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
  EXPECT_FALSE(source_.paused(kHeartbeats0));
  EXPECT_NE(registry_.Text().find("projection_missed_total 10"), std::string::npos);
}

TEST_F(ProjectorTest, WhatIsNamedByItsPlaceInALaterLogIsProjected) {
  source_.Push(kHeartbeats0, R"({"tenant_id":"acme","asset_id":"truck-1"})");
  database_.positions[PartitionName(kHeartbeats0) + "@"] = 1;
  Land("", kHeartbeats0, 0, 1);
  auto landed = database_.landed.extract(database_.landed.begin());
  landed.key().id = "acme/" + PartitionName(kHeartbeats0) + "/0@1";
  database_.landed.insert(std::move(landed));
  StepFor(3);
  EXPECT_EQ(Documents(), 1);
  EXPECT_NE(registry_.Text().find("skipped_total{reason=\"absent\"} 0"), std::string::npos);
}

TEST_F(ProjectorTest, OnlyWhatIsFoldedCountsAsProjected) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Land("e1", kHeartbeats0, 0);
  StepFor(2);
  source_.Revoke({kHeartbeats0}, true);
  source_.Assign({kHeartbeats0});
  Step();
  ASSERT_TRUE(source_.Seek(kHeartbeats0, 0).ok());
  StepFor(3);
  EXPECT_EQ(Documents(), 1);
  EXPECT_NE(registry_.Text().find("tidegate_reader_projected_total 1"), std::string::npos);
}

TEST_F(ProjectorTest, ARefusedProjectionIsToldAndHoldsNothingUp) {
  database_.refused.insert("acme/truck-1");
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Land("e1", kHeartbeats0, 0);
  StepFor(2);
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
  EXPECT_EQ(board_.Read()[0].trouble, "");
  EXPECT_EQ(board_.Read()[0].refused_projections, 1u);
  EXPECT_NE(registry_.Text().find("tidegate_reader_projections_refused_total 1"),
            std::string::npos);
}

TEST_F(ProjectorTest, AnOutageLosesNothing) {
  bool away = true;
  store_.Intercept([&](bool) -> Status {
    return away ? Status(Error{ErrorCode::kUnavailable, "away"}) : Status();
  });
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Land("e1", kHeartbeats0, 0);
  StepFor(5);
  EXPECT_TRUE(source_.paused());
  EXPECT_EQ(board_.Read()[0].trouble, "away");
  away = false;
  StepFor(5);
  EXPECT_FALSE(source_.paused());
  EXPECT_EQ(Documents(), 1);
  EXPECT_EQ(board_.Read()[0].trouble, "");
}

TEST_F(ProjectorTest, ARevokeFoldsWhatHasLandedFirst) {
  options_.batch_interval = milliseconds(10'000);
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Land("e1", kHeartbeats0, 0);
  Step();
  source_.Revoke({kHeartbeats0, kHeartbeats1});
  Step();
  EXPECT_EQ(Documents(), 1);
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
}

TEST_F(ProjectorTest, LostPartitionsAreLeftAlone) {
  options_.batch_interval = milliseconds(10'000);
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Land("e1", kHeartbeats0, 0);
  Step();
  source_.Revoke({kHeartbeats0, kHeartbeats1}, true);
  Step();
  clock_.Advance(std::chrono::seconds(20));
  Step();
  EXPECT_EQ(Documents(), 0);
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
}

TEST_F(ProjectorTest, StoppingFoldsWhatHasLandedAndLeavesTheGroup) {
  options_.batch_interval = milliseconds(10'000);
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Land("e1", kHeartbeats0, 0);
  Step();
  projector().Stop();
  EXPECT_EQ(Documents(), 1);
  EXPECT_TRUE(source_.closed());
  EXPECT_TRUE(board_.Read()[0].stopped);
}

TEST_F(ProjectorTest, AMemberThatCannotGoOnSaysSo) {
  source_.Fail("fenced by another member");
  EXPECT_FALSE(projector().Step(milliseconds(0)).ok());
  EXPECT_TRUE(board_.Read()[0].failed);
}

}  // namespace
}  // namespace tidegate::reader
