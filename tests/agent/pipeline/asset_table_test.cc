#include "agent/pipeline/asset_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/support/work.h"

namespace tidegate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class AssetTableTest : public testing::Test {
 protected:
  void GiveState(const std::string& key) {
    Asset& asset = table_.Touch(key);
    asset.states = {{.rule = 0, .state = {.raised = true, .met_since = {}, .raised_at = {}}}};
    table_.StatesChanged(asset);
  }
  std::vector<std::string> Saved() const {
    std::vector<Asset> saved;
    table_.Save(saved);
    std::vector<std::string> keys;
    for (const Asset& asset : saved) keys.push_back(asset.key);
    return keys;
  }
  std::vector<std::string> forgotten_;
  AssetTable table_{4, [this](const Asset& asset) { forgotten_.push_back(asset.key); }};
};

TEST_F(AssetTableTest, TheLongestSilentIsForgottenAndThoseWithoutAStateFirst) {
  GiveState("t/a");
  for (const char* key : {"t/b", "t/c", "t/d", "t/b", "t/e", "t/f"}) table_.Touch(key);
  EXPECT_THAT(forgotten_, ElementsAre("t/c", "t/d"));
  EXPECT_THAT(Saved(), ElementsAre("t/b", "t/e", "t/f", "t/a"));
}

TEST_F(AssetTableTest, ATenantThatFloodsPushesOutItsOwn) {
  GiveState("good/a");
  table_.Touch("good/b");
  for (int i = 0; i < 20; ++i) GiveState(fmt::format("bad/{}", i));
  EXPECT_NE(table_.Find("good/a"), nullptr);
  EXPECT_NE(table_.Find("good/b"), nullptr);
  EXPECT_EQ(forgotten_.size(), 18U);
}

TEST_F(AssetTableTest, ATenantBelowItsShareGetsAPlaceOfTheLargest) {
  for (int i = 0; i < 4; ++i) GiveState(fmt::format("bad/{}", i));
  table_.Touch("good/a");
  table_.Touch("good/b");
  EXPECT_THAT(forgotten_, ElementsAre("bad/0", "bad/1"));
  table_.Touch("good/c");
  EXPECT_THAT(forgotten_, ElementsAre("bad/0", "bad/1", "good/a")) << "half of them is its share";
}

// A tenant that invents tenants must not make the fold slow for the others.
TEST(AssetTableCostTest, ATableFullOfTenantsTakesNoLongerForANewOne) {
  const WorkMeter meter;
  const auto cost = [&](size_t most) {
    AssetTable table(most, [](const Asset&) {});
    size_t next = 0;
    const auto add = [&](size_t count) {
      for (size_t i = 0; i < count; ++i) table.Touch(fmt::format("tenant-{}/a", next++));
    };
    add(most);
    return meter.Measure([&] { add(500); });
  };
  EXPECT_LT(cost(10'000) / cost(200), 6);
}

TEST_F(AssetTableTest, AmongTenantsOfOneSizeTheFirstByNameGivesThePlace) {
  for (const char* key : {"c/1", "b/1", "a/1", "c/2", "d/1"}) table_.Touch(key);
  EXPECT_THAT(forgotten_, ElementsAre("c/1"));
  table_.Touch("e/1");
  EXPECT_THAT(forgotten_, ElementsAre("c/1", "a/1"));
}

TEST_F(AssetTableTest, AStateThatEndsMakesAnAssetOneWithout) {
  GiveState("t/a");
  GiveState("t/b");
  table_.Touch("t/c");
  table_.ChangeEach([](Asset& asset) {
    if (asset.key == "t/a") asset.states.clear();
  });
  EXPECT_THAT(Saved(), ElementsAre("t/c", "t/a", "t/b"));
  table_.Clear();
  EXPECT_THAT(Saved(), IsEmpty());
  EXPECT_EQ(table_.size(), 0U);
}

TEST_F(AssetTableTest, AnAssetIsInsertedOnce) {
  EXPECT_TRUE(table_.Insert({.key = "t/a", .time = {}, .arrival = {}, .states = {}}));
  EXPECT_FALSE(table_.Insert({.key = "t/a", .time = {}, .arrival = {}, .states = {}}));
  EXPECT_EQ(table_.size(), 1U);
}

TEST(AssetTableDeathTest, ThereIsRoomForAnAsset) {
  EXPECT_DEATH(AssetTable(0, [](const Asset&) {}), "room for an asset");
}

}  // namespace
}  // namespace tidegate
