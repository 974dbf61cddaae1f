#include "agent/control/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/time_format.h"

namespace tidegate {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

StatusReport Limited() {
  StatusReport report;
  report.now = *ParseTime("2026-03-01T20:00:00Z");
  report.uplink.configured = report.uplink.connected = true;
  report.uplink.gate.open = false;
  report.uplink.gate.passed = 3;
  report.uplink.gate.budgets = {{{20u << 20, BudgetLimit::Period::kDay}, 5u << 20, 4h}};
  report.uplink.gate.windows = {{2h, 5h}};
  report.uplink.gate.window_open = false;
  report.uplink.gate.window_changes_in = 6h;
  return report;
}

TEST(StatusTest, JsonHasTheLimitsOfTheUplink) {
  EXPECT_THAT(
      StatusJson(Limited()),
      HasSubstr(R"("open":false,"passed":3,"budgets":{"day":{"used":5242880,"limit":20971520,)"
                R"("resets":"2026-03-02T00:00:00.000Z"}},"window":{"windows":"02:00-05:00",)"
                R"("open":false,"ignored":false,"opens":"2026-03-02T02:00:00.000Z"}})"));
}

TEST(StatusTest, TextShowsTheLimitsOfTheUplink) {
  const auto text = StatusText(StatusJson(Limited()));
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(*text, HasSubstr("5.0 of 20.0 MiB used this day, until 2026-03-02T00:00:00.000Z"));
  EXPECT_THAT(*text, HasSubstr("window 02:00-05:00: closed, opens 2026-03-02T02:00:00.000Z"));
  EXPECT_THAT(StatusLine(Limited()), HasSubstr("uplink connected, held back"));
}

TEST(StatusTest, AStoreThatDoesNotOpenIsShownEverywhere) {
  StatusReport report;
  report.store_error = "create /data/store.db.lock: Read-only file system";
  EXPECT_THAT(StatusJson(report), HasSubstr(R"("open":false,"error":"create /data/store.db.lock)"));
  const auto text = StatusText(StatusJson(report));
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(*text, HasSubstr("NOT OPEN, nothing is read from the inputs: create /data/"));
  EXPECT_EQ(StatusLine(report),
            "WAITS FOR THE STORE: create /data/store.db.lock: Read-only file system");
}

TEST(StatusTest, ASalvageIsShownEverywhere) {
  StatusReport report;
  EXPECT_THAT(StatusJson(report), HasSubstr(R"("salvage_percent":null)"));
  EXPECT_THAT(*StatusText(StatusJson(report)), Not(HasSubstr("SALVAGING")));
  report.store.salvage_percent = 45;
  EXPECT_THAT(StatusJson(report), HasSubstr(R"("salvage_percent":45)"));
  EXPECT_THAT(*StatusText(StatusJson(report)), HasSubstr("SALVAGING a damaged file, 45 % moved"));
  EXPECT_THAT(StatusLine(report), HasSubstr("; SALVAGING 45 %"));
}

TEST(StatusTest, AnOpenStoreIsNotMentioned) {
  EXPECT_THAT(StatusJson(StatusReport{}), HasSubstr(R"("open":true,"error":"")"));
  EXPECT_THAT(*StatusText(StatusJson(StatusReport{})), Not(HasSubstr("NOT OPEN")));
  EXPECT_THAT(StatusLine(StatusReport{}), Not(HasSubstr("WAITS")));
}

TEST(StatusTest, WithoutLimitsNoneIsShown) {
  StatusReport report;
  report.uplink.configured = true;
  const auto text = StatusText(StatusJson(report));
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(*text, Not(HasSubstr("used this")));
  EXPECT_THAT(*text, Not(HasSubstr("window")));
  EXPECT_THAT(StatusJson(report), HasSubstr(R"("budgets":{},"window":null)"));
}

}  // namespace
}  // namespace tidegate
