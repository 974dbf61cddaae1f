#include "uplink/gate/byte_budget.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "core/time_format.h"
#include "tests/support/fake_clock.h"
#include "uplink/gate/budget_state.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
constexpr BudgetLimit kDaily{1'000'000, BudgetLimit::Period::kDay};
constexpr BudgetLimit kHourly{1'000'000, BudgetLimit::Period::kHour};

// The clock begins at midnight, synchronised.
class ByteBudgetTest : public ::testing::Test {
 protected:
  ByteBudgetTest() {
    setenv("TZ", "UTC0", 1);
    tzset();
    clock_.SetWall(*ParseTime("2026-03-01T00:00:00Z"));
  }
  ByteBudget Used(BudgetLimit limit = kDaily) {
    ByteBudget budget(limit, clock_);
    budget.Use(400'000);
    return budget;
  }
  // As after a stop.
  ByteBudget Restarted(const ByteBudget& budget) {
    const auto stored =
        DecodeBudgets(EncodeBudgets({{budget.limit().period, budget.Save(budget.used())}}));
    EXPECT_TRUE(stored.ok());
    ByteBudget next(budget.limit(), clock_);
    next.Restore(stored->at(budget.limit().period));
    return next;
  }

  FakeClock clock_;
};

TEST_F(ByteBudgetTest, ADayEndsAtMidnightAndAnHourOnTheHour) {
  clock_.Advance(20h + 15min);
  ByteBudget day = Used();
  ByteBudget hour = Used(kHourly);
  clock_.Advance(44min);
  EXPECT_FALSE(hour.Follow());
  EXPECT_EQ(hour.left(), 600'000U);
  clock_.Advance(1min);
  EXPECT_TRUE(hour.Follow());
  EXPECT_EQ(hour.used(), 0U);
  EXPECT_FALSE(day.Follow());
  clock_.Advance(3h);
  EXPECT_TRUE(day.Follow());
  clock_.Advance(24h);
  EXPECT_TRUE(day.Follow());
}

TEST_F(ByteBudgetTest, StepsOfTheWallClockNeitherRefillNorLockOut) {
  for (const auto step : {std::chrono::milliseconds(1h), std::chrono::milliseconds(-87'600h),
                          std::chrono::milliseconds(87'600h), std::chrono::milliseconds(48h)}) {
    clock_.SetWall(*ParseTime("2026-03-01T10:00:00Z"));
    ByteBudget budget = Used();
    clock_.StepWall(step);
    EXPECT_FALSE(budget.Follow()) << step.count();
    EXPECT_EQ(budget.used(), 400'000U);
    clock_.Advance(14h);
    EXPECT_TRUE(budget.Follow()) << step.count();
    clock_.Advance(24h);
    EXPECT_TRUE(budget.Follow()) << step.count();
  }
}

TEST_F(ByteBudgetTest, ARestartGoesOnWithThePeriod) {
  ByteBudget budget = Used();
  clock_.Advance(23h);
  ByteBudget next = Restarted(budget);
  EXPECT_EQ(next.used(), 400'000U);
  clock_.Advance(1h);
  EXPECT_TRUE(next.Follow());
}

TEST_F(ByteBudgetTest, ARestartInTheNextPeriodBeginsIt) {
  ByteBudget budget = Used();
  const auto state = budget.Save(budget.used());
  clock_.Advance(25h);
  ByteBudget next(kDaily, clock_);
  next.Restore(state);
  EXPECT_EQ(next.used(), 0U);
}

TEST_F(ByteBudgetTest, ARebootRefillsNothing) {
  ByteBudget budget = Used();
  clock_.Advance(1h);
  const auto state = budget.Save(budget.used());
  clock_.Reboot();
  ByteBudget next(kDaily, clock_);
  next.Restore(state);
  EXPECT_EQ(next.used(), 400'000U);
  clock_.Advance(23h);
  EXPECT_TRUE(next.Follow());
}

TEST_F(ByteBudgetTest, ARebootIntoTheNextPeriodIsSeenOnceTheClockIsSynchronised) {
  const auto state = Used().Save(400'000);
  clock_.Reboot();
  clock_.SetSynced(false);
  clock_.SetWall(WallTime{});
  ByteBudget next(kDaily, clock_);
  next.Restore(state);
  clock_.Advance(5min);
  EXPECT_FALSE(next.Follow());
  EXPECT_EQ(next.used(), 400'000U);
  clock_.SetWall(*ParseTime("2026-03-02T00:10:00Z"));
  clock_.SetSynced(true);
  EXPECT_TRUE(next.Follow());
}

TEST_F(ByteBudgetTest, AClockThatIsNeverSynchronisedAddsUpWhatItRuns) {
  clock_.SetSynced(false);
  ByteBudget budget = Used();
  for (int boot = 0; boot < 4; ++boot) {
    clock_.Advance(5h);
    EXPECT_FALSE(budget.Follow());
    const auto state = budget.Save(budget.used());
    clock_.Reboot();
    budget.Restore(state);
    EXPECT_EQ(budget.used(), 400'000U);
  }
  clock_.Advance(4h);
  EXPECT_TRUE(budget.Follow());
}

TEST_F(ByteBudgetTest, AStoredEndFarAwayLocksOutForOnePeriodAtMost) {
  ByteBudget budget(kDaily, clock_);
  budget.Restore({.boot_id = "other",
                  .ends = 0s,
                  .left = 87'600h,
                  .ends_wall = *ParseTime("2036-03-01T00:00:00Z"),
                  .charged = 1'000'000});
  EXPECT_EQ(budget.left(), 0U);
  clock_.Advance(24h);
  EXPECT_TRUE(budget.Follow());
  EXPECT_EQ(budget.left(), 1'000'000U);
}

TEST_F(ByteBudgetTest, WhatIsStoredIsReadBackOrRefused) {
  for (const char* text :
       {"", "{", "[]", R"({"day":1})", R"({"day":{"boot":"b","ends_ms":1,"left_ms":1}})",
        R"({"day":{"boot":"b","ends_ms":1,"left_ms":1,"charged":-1}})",
        R"({"day":{"boot":"b","ends_ms":1e300,"left_ms":1,"charged":1}})"}) {
    EXPECT_FALSE(DecodeBudgets(text).ok()) << text;
  }
  EXPECT_TRUE(DecodeBudgets(R"({"week":{}})")->empty());
}

using ByteBudgetDeathTest = ByteBudgetTest;

TEST_F(ByteBudgetDeathTest, AChargeCoversWhatIsUsed) {
  const ByteBudget budget = Used();
  EXPECT_DEATH((void)budget.Save(budget.used() - 1), "the charge covers what is used");
}

}  // namespace
}  // namespace tidegate
