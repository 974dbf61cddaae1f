// Whatever happens to the projectors, the projections equal a computation from the landed
// documents.
#include "tests/reader/project/projection_world.h"

namespace tidegate::reader {
namespace {

TEST(ReplayTest, ProjectionsEqualWhatTheLandedDocumentsSayWhateverHappenedToTheirReaders) {
  size_t ends = 0;
  uint64_t conflicts = 0;
  size_t landed = 0;
  size_t alerts = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    World world(seed);
    for (int turn = 0; turn < 60; ++turn) world.Turn();
    world.Converge();
    std::set<std::string> expected_alerts;
    const auto expected = world.Recompute(expected_alerts);
    const auto& actual = world.database().projections;
    for (const auto& [key, projection] : expected) {
      const auto found = actual.find(key);
      ASSERT_TRUE(found != actual.end()) << "seed " << seed << " " << key.id;
      ASSERT_EQ(Show(found->second), Show(projection)) << "seed " << seed << " " << key.id;
    }
    ASSERT_EQ(actual.size(), expected.size()) << "seed " << seed;
    ASSERT_EQ(world.alerts(), expected_alerts) << "seed " << seed;
    ends += world.ends();
    conflicts += world.conflicts();
    landed += world.raw();
    alerts += expected_alerts.size();
  }
  // The seeds have reached what the test is about.
  EXPECT_GT(ends, 200u);
  EXPECT_GT(conflicts, 50u);
  EXPECT_GT(landed, 5'000u);
  EXPECT_GT(alerts, 500u);
}

}  // namespace
}  // namespace tidegate::reader
