#include "reader/land/progress.h"

#include <gtest/gtest.h>

#include "tests/support/reader/fake_source.h"
#include "tests/support/reader/memory_projection_store.h"

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
  Progress progress_{"tidegate", {source_, store_, log_}};
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
