#include "uplink/gate/send_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Period = BudgetLimit::Period;

TEST(SendLimitsTest, BudgetsOfBothPeriods) {
  const auto budgets = ParseBudgets("2MiB/hour, 50MB/day");
  ASSERT_TRUE(budgets.ok());
  EXPECT_THAT(*budgets, ElementsAre(BudgetLimit{2u << 20, Period::kHour},
                                    BudgetLimit{50'000'000, Period::kDay}));
}

TEST(SendLimitsTest, ABudgetThatCannotBeMeantIsNamed) {
  for (const char* text : {"", "50MiB", "50MiB/week", "/day", "50/day/day", "-1MiB/day", "1KiB/day",
                           "2MiB/hour,", "2MiB/day,3MiB/day"}) {
    const auto budgets = ParseBudgets(text);
    ASSERT_FALSE(budgets.ok()) << text;
    EXPECT_EQ(budgets.error().code, ErrorCode::kInvalid);
  }
  EXPECT_THAT(ParseBudgets("2MiB/day,x").error().message, HasSubstr("\"x\" is not a budget like"));
}

TEST(SendLimitsTest, AWindowContainsItsBeginAndNotItsEnd) {
  const auto windows = ParseWindows("02:00-05:00");
  ASSERT_TRUE(windows.ok());
  const SendWindow& night = windows->front();
  EXPECT_FALSE(night.Contains(1h + 59min + 59s));
  EXPECT_TRUE(night.Contains(2h));
  EXPECT_TRUE(night.Contains(4h + 59min + 59s));
  EXPECT_FALSE(night.Contains(5h));
  EXPECT_EQ(night.Text(), "02:00-05:00");
}

TEST(SendLimitsTest, AWindowMayGoOverMidnight) {
  const auto windows = ParseWindows("22:30-04:00");
  ASSERT_TRUE(windows.ok());
  EXPECT_TRUE(windows->front().Contains(23h));
  EXPECT_TRUE(windows->front().Contains(0s));
  EXPECT_FALSE(windows->front().Contains(4h));
  EXPECT_FALSE(windows->front().Contains(22h + 29min));
}

TEST(SendLimitsTest, AWindowThatCannotBeMeantIsNamed) {
  for (const char* text : {"", "2-5", "02:00", "02:00-", "24:00-05:00", "02:60-05:00",
                           "02:00-24:01", "02:00-02:00", "02:00-05:00,", "0a:00-05:00"}) {
    EXPECT_FALSE(ParseWindows(text).ok()) << text;
  }
  EXPECT_TRUE(ParseWindows("00:00-24:00").ok());
}

TEST(SendLimitsTest, TheNextChangeIsTheNextOpeningOrTheLastClosing) {
  const auto windows = ParseWindows("02:00-05:00,04:00-06:00,23:00-01:00");
  ASSERT_TRUE(windows.ok());
  EXPECT_EQ(UntilChange(*windows, 1h + 30s), 59min + 30s);
  EXPECT_EQ(UntilChange(*windows, 2h), 4h);
  EXPECT_EQ(UntilChange(*windows, 23h + 30min), 90min);
  EXPECT_EQ(UntilChange(*ParseWindows("00:00-24:00"), 12h), 24h);
}

}  // namespace
}  // namespace tidegate
