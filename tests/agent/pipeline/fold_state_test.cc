#include "agent/pipeline/fold_state.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace tidegate {
namespace {

using std::chrono::milliseconds;

// What the golden file holds.
FoldState Golden() {
  const WallTime day(milliseconds(1'750'639'000'000));
  FoldState state;
  state.boot_id = "0123456789abcdef0123456789abcdef";
  state.rules = {{"hot", 0x0123456789abcdef}, {"long", 7}};
  state.assets = {
      {.key = "acme/truck-1", .time = day, .arrival = milliseconds(5'000), .states = {}},
      {.key = "acme/truck-2",
       .time = day + milliseconds(1'000),
       .arrival = milliseconds(6'000),
       .states = {{0, {.raised = true, .met_since = {}, .raised_at = day}},
                  {1,
                   {.raised = false,
                    .met_since = Moment{TimeSource::kGateway, milliseconds(4'000)},
                    .raised_at = {}}}}},
      {.key = "other/ö", .time = WallTime(milliseconds(-1)), .arrival = {}, .states = {}}};
  state.inputs = {{"local", 65'536, {{65'535, 0xdeadbeef}, {1, 2}, {2, 3}}}, {"serial", 0, {}}};
  return state;
}

std::string GoldenFile() {
  std::ifstream file(GOLDEN_DIR "/fold_state_v1.bin", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(FoldStateTest, Version1IsReadForEver) {
  const auto state = DecodeFoldState(GoldenFile());
  ASSERT_TRUE(state.ok()) << state.error().message;
  EXPECT_EQ(*state, Golden());
}

TEST(FoldStateTest, WhatIsWrittenIsTheGoldenFile) {
  EXPECT_EQ(EncodeFoldState(Golden()), GoldenFile());
}

TEST(FoldStateTest, EveryCutIsRefused) {
  const std::string whole = EncodeFoldState(Golden());
  for (size_t size = 0; size < whole.size(); ++size) {
    const auto cut = DecodeFoldState(whole.substr(0, size));
    ASSERT_FALSE(cut.ok()) << size;
    EXPECT_EQ(cut.error().code, ErrorCode::kCorrupt);
  }
  EXPECT_FALSE(DecodeFoldState(whole + "x").ok());
}

TEST(FoldStateTest, ANewerVersionIsNamed) {
  const auto newer = DecodeFoldState("\x02" + EncodeFoldState(Golden()).substr(1));
  ASSERT_FALSE(newer.ok());
  EXPECT_EQ(newer.error().code, ErrorCode::kInvalid);
}

TEST(FoldStateTest, AnAssetOfAFleetTakesTenBytes) {
  FoldState state;
  for (int i = 0; i < 1'000; ++i) {
    state.assets.push_back({.key = "acme/truck-" + std::to_string(10'000 + i),
                            .time = WallTime(milliseconds(1'750'639'000'000 + 37 * i)),
                            .arrival = milliseconds(100'000 + 10 * i),
                            .states = {}});
  }
  EXPECT_LT(EncodeFoldState(state).size(), 10'000U);
}

TEST(FoldStateTest, ADefinitionIsWhatDecidesAndNotTheSeverity) {
  const auto definition = [](std::string_view text) {
    return RuleDefinition(*ParseRule("r", text));
  };
  EXPECT_EQ(definition("t > 50"), definition("t > 50 severity critical"));
  for (const auto* other : {"u > 50", "t < 50", "t > 51", "t > 50 clear 48", "t > 50 for 1s",
                            "t > 50 tenant acme", "t > 50 asset b*"}) {
    EXPECT_NE(definition("t > 50"), definition(other)) << other;
  }
}

TEST(FoldStateDeathTest, AStateOfARuleThatTheSnapshotDoesNotNameIsABug) {
  FoldState state = Golden();
  state.rules.pop_back();
  EXPECT_DEATH((void)EncodeFoldState(state), "names a rule");
}

}  // namespace
}  // namespace tidegate
