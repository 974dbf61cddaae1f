#include "reader/land/progress.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"
#include "tests/support/reader/fake_source.h"
#include "tests/support/reader/memory_projection_store.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

constexpr WallTime kNow{std::chrono::milliseconds(1'750'639'021'000)};

class ProgressTest : public testing::Test {
 protected:
  Status Store(int64_t next) { return progress_.Store({{Position{kHeartbeats0, next}}}, kNow); }
  int64_t Recorded() { return database_.positions[PartitionName(kHeartbeats0)]; }

  FakeSource source_;
  MemoryDatabase database_;
  MemoryProjectionStore store_{database_};
  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  FakeClock clock_;
  Progress progress_{"tidegate", {source_, store_, clock_, log_}};
};

TEST_F(ProgressTest, ThePositionIsInTheDatabaseBeforeTheOffsetIsStored) {
  progress_.OnMessage(kHeartbeats0, 4);
  bool was_stored = true;
  store_.Intercept([&](bool) {
    was_stored = source_.stored(kHeartbeats0) >= 0;
    return Status();
  });
  ASSERT_TRUE(Store(5).ok());
  EXPECT_FALSE(was_stored);
  EXPECT_EQ(Recorded(), 5);
  EXPECT_EQ(source_.stored(kHeartbeats0), 5);
}

TEST_F(ProgressTest, WithoutThePositionNoOffsetIsStored) {
  progress_.OnMessage(kHeartbeats0, 4);
  store_.Intercept([](bool) { return Status(Error{ErrorCode::kUnavailable, "down"}); });
  EXPECT_FALSE(Store(5).ok());
  EXPECT_EQ(source_.stored(kHeartbeats0), -1);
}

TEST_F(ProgressTest, ALogThatBeginsAnewHasPositionsOfItsOwn) {
  for (int i = 0; i < 5; ++i) source_.PushHeartbeat(kHeartbeats0, std::to_string(i));
  progress_.OnMessage(kHeartbeats0, 4);
  ASSERT_TRUE(Store(5).ok());
  progress_.Forget({{kHeartbeats0}});
  source_.BeginAnew(kHeartbeats0);
  source_.PushHeartbeat(kHeartbeats0, "new");
  progress_.OnMessage(kHeartbeats0, 0);
  std::vector<Document> documents;
  documents.push_back(MakeDocument("acme/t/new", "{}", {"tidegate", "heartbeats"}));
  documents[0].provenance.topic = kHeartbeats0.topic;
  documents[0].provenance.partition = 0;
  documents[0].provenance.offset = 0;
  documents[0].named_by_place = true;
  documents[0].provenance.epoch.reset();
  ASSERT_TRUE(progress_.Label(documents, kNow).ok());
  ASSERT_TRUE(progress_.Label(documents, kNow).ok());
  EXPECT_EQ(documents[0].provenance.epoch, 1);
  EXPECT_EQ(documents[0].id, "acme/t/new@1");
  ASSERT_TRUE(Store(1).ok());
  EXPECT_EQ(Recorded(), 5);
  EXPECT_EQ(database_.positions[PartitionName(kHeartbeats0, 1)], 1);
  EXPECT_EQ(progress_.logs_begun_anew(), 1u);
  const auto read = ReadLogPositions(store_, "tidegate", {{kHeartbeats0}});
  EXPECT_EQ(read->at(kHeartbeats0).epoch, 1);
  EXPECT_EQ(read->at(kHeartbeats0).next_offset, 1);
}

TEST_F(ProgressTest, AReplayIsNoNewLog) {
  for (int i = 0; i < 5; ++i) source_.PushHeartbeat(kHeartbeats0, std::to_string(i));
  progress_.OnMessage(kHeartbeats0, 4);
  ASSERT_TRUE(Store(5).ok());
  progress_.Forget({{kHeartbeats0}});
  progress_.OnMessage(kHeartbeats0, 0);
  ASSERT_TRUE(Store(1).ok());
  EXPECT_EQ(progress_.logs_begun_anew(), 0u);
  // A broker that does not answer is no sign of one, either, and delays nothing.
  progress_.Forget({{kHeartbeats0}});
  source_.HideEarliest(true);
  progress_.OnMessage(kHeartbeats0, 1);
  ASSERT_TRUE(Store(2).ok());
  EXPECT_EQ(Recorded(), 5);
}

// It answers nobody within 2 s, and the messages of its partition come again after a crash.
TEST_F(ProgressTest, ASilentBrokerIsAskedOnceForAllMessages) {
  progress_.OnMessage(kHeartbeats0, 4'999);
  ASSERT_TRUE(Store(5'000).ok());
  progress_.Forget({{kHeartbeats0}});
  source_.HideEarliest(true);
  const auto label = [&] {
    std::vector<Document> documents;
    for (int64_t i = 0; i < 100; ++i) {
      progress_.OnMessage(kHeartbeats0, i);
      documents.push_back(MakeDocument("acme/t/" + std::to_string(i), "{}"));
      documents.back().provenance.topic = kHeartbeats0.topic;
      documents.back().provenance.partition = 0;
      documents.back().provenance.offset = i;
    }
    EXPECT_TRUE(progress_.Label(documents, kNow).ok());
  };
  const size_t before = source_.ends_asked();
  label();
  label();
  EXPECT_TRUE(Store(100).ok());
  EXPECT_EQ(source_.ends_asked(), before + 1);
  clock_.Advance(std::chrono::seconds(11));
  label();
  EXPECT_EQ(source_.ends_asked(), before + 2);
}

TEST_F(ProgressTest, APartitionThatKafkaTruncatedGoesBack) {
  progress_.OnMessage(kHeartbeats0, 40);
  ASSERT_TRUE(Store(41).ok());
  progress_.OnMessage(kHeartbeats0, 7);
  ASSERT_TRUE(Store(8).ok());
  EXPECT_EQ(source_.stored(kHeartbeats0), 8);
}

using ProgressDeathTest = ProgressTest;

TEST_F(ProgressDeathTest, APositionBeyondWhatWasDeliveredStopsTheProgram) {
  progress_.OnMessage(kHeartbeats0, 4);
  EXPECT_DEATH(static_cast<void>(Store(6)), "a stored position covers delivered messages only");
}

TEST_F(ProgressDeathTest, APositionOfAForgottenPartitionStopsTheProgram) {
  progress_.OnMessage(kHeartbeats0, 4);
  progress_.Forget({{kHeartbeats0}});
  EXPECT_DEATH(static_cast<void>(Store(5)), "a stored position covers delivered messages only");
}

}  // namespace
}  // namespace tidegate::reader
