#include "core/clock_history.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

std::string Boot(int number) {
  std::string id = std::to_string(number);
  return std::string(32 - id.size(), 'b') + id;
}

TEST(ClockHistory, DatesAMomentOfABootThatItKnows) {
  ClockHistory history;
  EXPECT_FALSE(history.WallAt(Boot(1), 5s));
  ASSERT_TRUE(history.Learn(Boot(1), 1'000'000ms));
  EXPECT_EQ(history.WallAt(Boot(1), 5s), WallTime(1'005'000ms));
  EXPECT_FALSE(history.WallAt(Boot(2), 5s));
}

TEST(ClockHistory, OnlyTheFirstWordOnABootCounts) {
  ClockHistory history;
  ASSERT_TRUE(history.Learn(Boot(1), 1'000ms));
  EXPECT_FALSE(history.Learn(Boot(1), 2'000ms));
  EXPECT_EQ(history.WallAt(Boot(1), 0ms), WallTime(1'000ms));
}

TEST(ClockHistory, ForgetsTheOldestBoot) {
  ClockHistory history;
  const int boots = static_cast<int>(ClockHistory::kMaxBoots) + 1;
  for (int i = 0; i < boots; ++i) ASSERT_TRUE(history.Learn(Boot(i), milliseconds(i)));
  EXPECT_EQ(history.size(), ClockHistory::kMaxBoots);
  EXPECT_FALSE(history.WallAt(Boot(0), 0ms));
  EXPECT_TRUE(history.WallAt(Boot(1), 0ms));
  EXPECT_TRUE(history.WallAt(Boot(boots - 1), 0ms));
}

TEST(ClockHistory, LearnsNothingOfABootWithoutAnIdOrOfAClockBeyondReason) {
  ClockHistory history;
  EXPECT_FALSE(history.Learn(std::string(32, '0'), 1s));
  EXPECT_FALSE(history.Learn("b001", 1s));
  EXPECT_FALSE(history.Learn(std::string(31, 'b') + "\n", 1s));
  EXPECT_FALSE(history.Learn(Boot(1), milliseconds::max()));
  EXPECT_FALSE(history.Learn(Boot(1), milliseconds::min()));
  EXPECT_EQ(history.size(), 0U);
  ASSERT_TRUE(history.Learn(Boot(1), 1s));
  EXPECT_FALSE(history.WallAt(Boot(1), milliseconds::max()));
  EXPECT_FALSE(history.WallAt(Boot(1), milliseconds::min()));
}

TEST(ClockHistory, ReadsBackWhatItWrites) {
  ClockHistory history;
  EXPECT_EQ(*ClockHistory::Parse(history.Text()), history);
  ASSERT_TRUE(history.Learn(Boot(1), 1'750'000'000'123ms));
  ASSERT_TRUE(history.Learn(Boot(2), -5ms));
  EXPECT_EQ(history.Text(), Boot(1) + " 1750000000123\n" + Boot(2) + " -5\n");
  EXPECT_EQ(*ClockHistory::Parse(history.Text()), history);
}

TEST(ClockHistory, RefusesWhatItDidNotWrite) {
  std::string too_many;
  for (size_t i = 0; i <= ClockHistory::kMaxBoots; ++i)
    too_many += Boot(static_cast<int>(i)) + " 1\n";
  for (const std::string& text :
       {std::string("\n"), Boot(1), Boot(1) + "\n", Boot(1) + " \n", Boot(1) + " 1",
        Boot(1) + " 1 \n", Boot(1) + "\t1\n", Boot(1) + " 1ms\n",
        Boot(1) + " 99999999999999999999\n",
        Boot(1) + " " + std::to_string(std::numeric_limits<int64_t>::max()) + "\n",
        Boot(1) + " 1\n" + Boot(1) + " 1\n", std::string(32, '0') + " 1\n", too_many}) {
    EXPECT_FALSE(ClockHistory::Parse(text).ok()) << text;
  }
}

}  // namespace
}  // namespace tidegate
