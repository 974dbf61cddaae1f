#include "uplink/lane.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using State = TrackedRecord::State;

class LaneTest : public ::testing::Test {
 protected:
  LaneTest() {
    lane_.Track(1, Records(2));
    lane_.Track(3, Records(3));
  }
  static std::vector<TrackedRecord> Records(size_t count) {
    return std::vector<TrackedRecord>(count, TrackedRecord{.bytes = 10});
  }
  TrackedBatch& BatchOf(Seq seq) { return *lane_.BatchOf(seq); }
  TrackedRecord& RecordOf(Seq seq) { return BatchOf(seq).records[seq - BatchOf(seq).first_seq]; }
  void Send(Seq seq) { lane_.MarkSent(BatchOf(seq), RecordOf(seq)); }
  void ComeBack(Seq seq) { lane_.MarkUnsent(BatchOf(seq), RecordOf(seq)); }
  void Done(Seq seq) { lane_.MarkDone(BatchOf(seq), RecordOf(seq)); }
  std::vector<Seq> Finished() {
    std::vector<Seq> finished;
    lane_.Finish([&](const TrackedBatch& batch) { finished.push_back(batch.first_seq); });
    return finished;
  }

  Lane lane_;
};

using LaneDeathTest = LaneTest;

TEST_F(LaneTest, CountsFollowEachRecord) {
  EXPECT_EQ(lane_.cursor(), 5U);
  Send(1);
  Send(4);
  EXPECT_EQ(lane_.sent(), 2U);
  EXPECT_EQ(lane_.sent_bytes(), 20U);
  EXPECT_EQ(lane_.unsent(), 3U);
  ComeBack(4);
  Done(1);
  Done(5);
  EXPECT_EQ(lane_.sent(), 0U);
  EXPECT_EQ(lane_.sent_bytes(), 0U);
  EXPECT_EQ(lane_.unsent(), 3U);
  EXPECT_EQ(lane_.undone(), 3U);
}

TEST_F(LaneTest, ABatchIsFinishedWhenAllOfItsRecordsAreDone) {
  for (Seq seq : {3, 4}) Done(seq);
  EXPECT_THAT(Finished(), ElementsAre());
  Done(5);
  EXPECT_THAT(Finished(), ElementsAre(3));
  EXPECT_EQ(lane_.BatchOf(3), nullptr);
}

TEST_F(LaneTest, ADroppedBatchWaitsForItsRecordsInFlightOnly) {
  Send(4);
  lane_.Drop(BatchOf(3));
  EXPECT_THAT(Finished(), ElementsAre());
  Done(4);
  EXPECT_THAT(Finished(), ElementsAre(3));
}

TEST_F(LaneTest, TheFirstUnsentBatchIsFoundAgainWhenARecordComesBack) {
  for (Seq seq = 1; seq <= 5; ++seq) Send(seq);
  EXPECT_EQ(lane_.FirstUnsent(), 2U);
  ComeBack(2);
  EXPECT_EQ(lane_.FirstUnsent(), 0U);
}

TEST_F(LaneDeathTest, ARecordIsSentOnce) {
  Send(1);
  EXPECT_DEATH(Send(1), "only an unsent record is sent");
}

TEST_F(LaneDeathTest, OnlyARecordInFlightComesBack) {
  EXPECT_DEATH(ComeBack(1), "only a record in flight comes back");
}

TEST_F(LaneDeathTest, ARecordIsDoneOnce) {
  Done(1);
  EXPECT_DEATH(Done(1), "a record is done once");
}

TEST_F(LaneDeathTest, BatchesDoNotOverlap) {
  EXPECT_DEATH(lane_.Track(5, Records(1)), "a batch follows those that were tracked before");
}

}  // namespace
}  // namespace tidegate
