// What a worker does with its pending messages when partitions are revoked, or when it stops.
#include "tests/reader/land/worker_fixture.h"

namespace tidegate::reader {
namespace {

using std::chrono::seconds;

TEST_F(WorkerTest, ARevokeLandsWhatIsInHandFirst) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Step();
  source_.Revoke({kHeartbeats0, kHeartbeats1});
  Step();
  EXPECT_EQ(store_.count(), 1u);
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
}

TEST_F(WorkerTest, ARevokeDuringAnOutageLetsGoWithoutStoring) {
  store_.TakeDown();
  source_.PushHeartbeat(kHeartbeats0, "e1");
  StepUntilDue();
  source_.Revoke({kHeartbeats0, kHeartbeats1});
  Step();
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  EXPECT_FALSE(source_.paused());
  store_.Restore();
  StepThroughABackoff();
  EXPECT_EQ(store_.count(), 0u);  // Its next owner lands it.
}

TEST_F(WorkerTest, ARevokeStoresWhatWasDoneBeforeTheFirstOpenMessage) {
  dead_letters_.TakeDown();
  source_.PushHeartbeat(kHeartbeats0, "e1");
  source_.Push(kHeartbeats0, "poison");
  source_.PushHeartbeat(kHeartbeats0, "e2");
  source_.PushHeartbeat(kHeartbeats1, "e3");
  StepUntilDue();
  source_.Revoke({kHeartbeats0, kHeartbeats1});
  Step();
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
  EXPECT_EQ(source_.stored(kHeartbeats1), 1);
}

TEST_F(WorkerTest, LostPartitionsAreNeitherWrittenNorStored) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Step();
  source_.Revoke({kHeartbeats0, kHeartbeats1}, true);
  Step();
  clock_.Advance(seconds(5));
  Step();
  EXPECT_EQ(store_.count(), 0u);
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
}

TEST_F(WorkerTest, WhatOtherPartitionsSentStaysInHand) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  source_.PushHeartbeat(kHeartbeats1, "e2");
  Step();
  source_.Revoke({kHeartbeats0}, true);
  StepUntilDue();
  EXPECT_FALSE(store_.Has("acme/truck-1/e1"));
  EXPECT_TRUE(store_.Has("acme/truck-1/e2"));
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  EXPECT_EQ(source_.stored(kHeartbeats1), 1);
}

TEST_F(WorkerTest, StoppingLandsWhatIsInHandAndLeavesTheGroup) {
  source_.PushHeartbeat(kHeartbeats0, "e1");
  Step();
  worker().Stop();
  EXPECT_EQ(store_.count(), 1u);
  EXPECT_EQ(source_.stored(kHeartbeats0), 1);
  EXPECT_TRUE(source_.closed());
  EXPECT_TRUE(State().stopped);
}

TEST_F(WorkerTest, StoppingDuringAnOutageStoresNothing) {
  store_.TakeDown();
  source_.PushHeartbeat(kHeartbeats0, "e1");
  StepUntilDue();
  worker().Stop();
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
  EXPECT_TRUE(source_.closed());
}

using WorkerDeathTest = WorkerTest;

TEST_F(WorkerDeathTest, AStepAfterTheEndStopsTheProgram) {
  Step();
  worker().Stop();
  EXPECT_DEATH(static_cast<void>(worker().Step(std::chrono::milliseconds(0))),
               "nothing follows Stop");
}

TEST(StatusBoardDeathTest, APlaceThatTheBoardDoesNotHaveStopsTheProgram) {
  StatusBoard board(1);
  EXPECT_DEATH(board.Post(1, {}), "its place on the board");
}

}  // namespace
}  // namespace tidegate::reader
