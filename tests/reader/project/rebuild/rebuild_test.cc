// A rebuild makes the same projections from the landed documents as the projectors made.
#include "reader/project/rebuild/rebuild.h"

#include <algorithm>

#include "reader/project/rebuild_mark.h"
#include "tests/reader/project/projection_world.h"

namespace tidegate::reader {
namespace {

class Rebuilder {
 public:
  explicit Rebuilder(World& world)
      : read_(world.database()), projections_(world.database()), documents_(world.alerts()) {
    Rebuild::Options options{.databases = {"tidegate"}, .folder = FolderOptions()};
    options.batch_records = 1 + world.Pick(40);
    rebuild_.emplace(options, Rebuild::Parts{read_, projections_, documents_, world.decoder(),
                                             world.clock(), world.log()});
  }

  MemoryProjectionStore& projections() { return projections_; }
  Status Run() { return rebuild_->Run(); }
  const RebuildReport& report() const { return rebuild_->report(); }

 private:
  MemoryProjectionStore read_;
  MemoryProjectionStore projections_;
  AlertStore documents_;
  std::optional<Rebuild> rebuild_;
};

std::map<std::string, std::string> Shown(const std::map<DocumentKey, Projection>& projections) {
  std::map<std::string, std::string> shown;
  for (const auto& [key, projection] : projections)
    shown[key.ns.collection + " " + key.id] = Show(projection);
  return shown;
}

std::map<std::string, std::string> WithoutStates(
    const std::map<DocumentKey, Projection>& projections) {
  std::map<DocumentKey, Projection> chosen;
  for (const auto& [key, projection] : projections) {
    if (key.ns.collection == "assets" || key.ns.collection == "aggregated_data")
      chosen.emplace(key, projection);
  }
  return Shown(chosen);
}

void ExpectWhatHasLanded(World& world, const std::string& when) {
  std::set<std::string> alerts;
  EXPECT_EQ(Shown(world.database().projections), Shown(world.Recompute(alerts))) << when;
  // Those that were raised before stay there.
  EXPECT_TRUE(std::ranges::includes(world.alerts(), alerts)) << when;
}

TEST(RebuildTest, ItEqualsWhatProjectorsMadeAndTheyGoOnFromThere) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    World world(seed);
    for (int turn = 0; turn < 40; ++turn) world.Turn();
    world.Converge();
    Rebuilder rebuild(world);
    ASSERT_TRUE(rebuild.Run().ok());
    EXPECT_EQ(rebuild.report().folded, world.raw());
    ExpectWhatHasLanded(world, "rebuilt, seed " + std::to_string(seed));
    world.Disturb();
    for (int turn = 0; turn < 40; ++turn) world.Turn();
    world.Converge();
    ExpectWhatHasLanded(world, "gone on, seed " + std::to_string(seed));
  }
}

TEST(RebuildTest, WhatLandedAfterTheProjectorsHadPassedIsInIt) {
  size_t late = 0;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    World world(seed);
    for (int turn = 0; turn < 100; ++turn) world.Turn();
    world.Converge();
    late -= world.raw();
    world.LandWhatWasGivenUp();
    late += world.raw();
    Rebuilder rebuild(world);
    ASSERT_TRUE(rebuild.Run().ok());
    ExpectWhatHasLanded(world, "seed " + std::to_string(seed));
  }
  EXPECT_GT(late, 10u) << "the test has met what it is about";
}

// Replays have folded their letters under the letters' places; a rebuild does the same, so that a
// replay that is repeated afterwards changes nothing.
TEST(RebuildTest, AReplayedLetterIsFoldedUnderItsPlace) {
  World world(4);
  for (int turn = 0; turn < 100; ++turn) world.Turn();
  world.Converge();
  const std::vector<Event> letters = world.LandAsLetters();
  ASSERT_GT(letters.size(), 3u);
  MemoryProjectionStore store(world.database());
  AlertStore alerts(world.alerts());
  Folder::Options options = FolderOptions();
  options.folds.scope = FoldScope::kWithoutStates;
  Folder replay(options, {store, alerts});
  ASSERT_TRUE(replay.Fold(letters).ok());
  const auto counts = [&] { return WithoutStates(world.database().projections); };
  const auto replayed = counts();
  Rebuilder rebuild(world);
  ASSERT_TRUE(rebuild.Run().ok());
  EXPECT_EQ(counts(), replayed);
  Folder repeated(options, {store, alerts});
  ASSERT_TRUE(repeated.Fold(letters).ok());
  EXPECT_EQ(repeated.applied(), 0u);
  EXPECT_EQ(counts(), replayed);
}

TEST(RebuildTest, WhatIsBeyondTheLandingsPositionsIsLeftToTheProjectors) {
  World world(1);
  for (int turn = 0; turn < 60; ++turn) world.Turn();
  world.Converge();
  // A landing that has died in the middle of a batch.
  Offsets& positions = world.database().positions;
  const std::string partition = PartitionName(kBeats0);
  const int64_t landed = positions[partition];
  positions[partition] = landed / 2;
  Rebuilder rebuild(world);
  ASSERT_TRUE(rebuild.Run().ok());
  EXPECT_GT(rebuild.report().waiting, 0u);
  EXPECT_EQ(rebuild.report().waiting + rebuild.report().folded, world.raw());
  for (const auto& [key, projection] : world.database().projections) {
    const auto folded = projection.folded.find(partition);
    if (folded != projection.folded.end()) {
      EXPECT_LT(folded->second, landed / 2) << key.id;
    }
  }
}

TEST(RebuildTest, BrokenOffAnywhereItIsDoneAgain) {
  bool through = false;
  int calls = 0;
  for (; !through; ++calls) {
    World world(3);
    for (int turn = 0; turn < 40; ++turn) world.Turn();
    world.Converge();
    Rebuilder broken(world);
    int left = calls;
    broken.projections().Intercept([&](bool) {
      return left-- > 0 ? Status() : Status(Error{ErrorCode::kUnavailable, "away"});
    });
    through = broken.Run().ok();
    Rebuilder again(world);
    ASSERT_TRUE(again.Run().ok());
    ExpectWhatHasLanded(world, "after " + std::to_string(calls) + " calls");
  }
  EXPECT_GT(calls, 30);
}

TEST(RebuildTest, ProjectorsWaitUntilItIsThrough) {
  World world(5);
  for (int turn = 0; turn < 20; ++turn) world.Turn();
  world.Converge();
  MemoryProjectionStore store(world.database());
  ASSERT_TRUE(WriteRebuildMark(store, "tidegate", 0, true, world.clock().Now()).ok());
  const auto before = Shown(world.database().projections);
  world.WriteAndLandAll();
  world.RunFresh(50);
  EXPECT_EQ(Shown(world.database().projections), before);
  EXPECT_NE(world.Trouble().find("made anew"), std::string::npos) << world.Trouble();
  Rebuilder rebuild(world);
  ASSERT_TRUE(rebuild.Run().ok());
  EXPECT_FALSE(IsUnderWay(ReadRebuildMark(store, "tidegate").value()));
  world.Converge();
  ExpectWhatHasLanded(world, "through");
}

TEST(RebuildTest, ForeignDocumentsArePassedOver) {
  World world(7);
  for (int turn = 0; turn < 20; ++turn) world.Turn();
  world.Converge();
  const auto put = [&](const std::string& id, const std::string& topic, const std::string& body) {
    const DocumentKey key{{"tidegate", "heartbeats"}, id};
    world.database().landed[key] = {topic, 0, 0, WallTime()};
    world.database().bodies[key] = body;
  };
  put("other", "zz",
      R"({"_id":"other","timestamp":"2025-06-23T00:37:01.000Z",)"
      R"("tidegate":{"topic":"not.followed","partition":0,"offset":0}})");
  put("hand", "zzz", R"({"_id":"hand","asset_id":"a"})");
  Rebuilder rebuild(world);
  ASSERT_TRUE(rebuild.Run().ok());
  EXPECT_EQ(rebuild.report().skipped, 2u);
  ExpectWhatHasLanded(world, "with foreign ones");
}

}  // namespace
}  // namespace tidegate::reader
