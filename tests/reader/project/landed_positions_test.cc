#include "reader/project/landed_positions.h"

#include <gtest/gtest.h>

#include "tests/support/fake_clock.h"
#include "tests/support/reader/fake_source.h"
#include "tests/support/reader/memory_projection_store.h"

namespace tidegate::reader {
namespace {

class LandedPositionsTest : public testing::Test {
 protected:
  LandedPositionsTest() {
    for (const Partition& partition : {kHeartbeats0, kHeartbeats1}) {
      for (int i = 0; i < 5; ++i) source_.PushHeartbeat(partition, std::to_string(i));
      positions_.OnMessage(partition, 0);
      database_.positions[PartitionName(partition)] = 5;
    }
  }

  FakeSource source_;
  MemoryDatabase database_;
  MemoryProjectionStore store_{database_};
  FakeClock clock_;
  LandedPositions positions_{"tidegate", source_, store_, clock_};
};

TEST_F(LandedPositionsTest, ABrokerThatIsSilentHoldsUpNoOtherPartition) {
  source_.HideEnd(kHeartbeats0);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(positions_.Read().ok());
  EXPECT_FALSE(positions_.HasLanded(kHeartbeats0, 0));
  EXPECT_TRUE(positions_.HasLanded(kHeartbeats1, 0));
  EXPECT_EQ(source_.ends_asked(), 2u);
}

TEST_F(LandedPositionsTest, ABrokerThatWasSilentIsAskedAgain) {
  source_.HideEarliest(true);
  ASSERT_TRUE(positions_.Read().ok());
  EXPECT_EQ(source_.ends_asked(), 1u) << "each one that is silent takes two seconds";
  source_.HideEarliest(false);
  ASSERT_TRUE(positions_.Read().ok());
  EXPECT_FALSE(positions_.HasLanded(kHeartbeats0, 0));
  clock_.Advance(std::chrono::seconds(11));
  ASSERT_TRUE(positions_.Read().ok());
  EXPECT_TRUE(positions_.HasLanded(kHeartbeats0, 0));
}

}  // namespace
}  // namespace tidegate::reader
