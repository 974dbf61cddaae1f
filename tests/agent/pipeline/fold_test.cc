#include "agent/pipeline/fold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "core/time_format.h"

namespace tidegate {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class FoldTest : public testing::Test {
 protected:
  void Use(std::string_view rule) {
    fold_.emplace(std::vector<Rule>{*ParseRule("overheat", rule)}, tidegate::Fold::Options{});
  }

  // Folds one payload in and returns the alerts that came of it.
  std::vector<std::string> Fold(const std::string& payload, BootTime arrival = {}) {
    struct Sink final : DecodeSink {
      void OnRecord(Record&&, const DecodedRecord& decoded) override {
        fold.Apply(decoded, std::chrono::duration_cast<std::chrono::milliseconds>(arrival),
                   [&](Record alert, RuleChange) { values.push_back(alert.value); });
      }
      void OnRefused(std::string_view, std::string reason) override { ADD_FAILURE() << reason; }
      Sink(tidegate::Fold& f, BootTime t) : fold(f), arrival(t) {}
      tidegate::Fold& fold;
      BootTime arrival;
      std::vector<std::string> values;
    } sink(*fold_, arrival);
    DecodeContext context;
    context.default_tenant = "acme";
    context.arrival = *ParseTime("2026-01-01T00:00:00Z");
    Decode(payload, context, {}, sink);
    return sink.values;
  }
  static std::string Reading(int second, const char* temperature, const char* asset = "truck-7") {
    return fmt::format(
        R"({{"asset_id":"{}","timestamp":"2026-01-01T00:00:{:02}Z","temperature_c":{}}})", asset,
        second, temperature);
  }
  std::optional<tidegate::Fold> fold_;
};

TEST_F(FoldTest, AnAlertNamesTheRecordThatRaisedAndTheOneThatClearedIt) {
  Use("temperature_c > 50 clear 48 severity critical");
  EXPECT_TRUE(Fold(Reading(1, "50")).empty());
  EXPECT_THAT(
      Fold(Reading(2, "50.10")),
      testing::ElementsAre(
          R"({"tenant_id":"acme","asset_id":"truck-7","timestamp":"2026-01-01T00:00:02.000Z","rule":"overheat",)"
          R"("status":"raised","severity":"critical","field":"temperature_c","value":50.10,"threshold":50,)"
          R"("raised_at":"2026-01-01T00:00:02.000Z",)"
          R"("message":"truck-7 raised: temperature_c is 50.10, rule temperature_c > 50"})"));
  EXPECT_EQ(fold_->raised(), 1U);
  EXPECT_TRUE(Fold(Reading(3, "49")).empty()) << "between the thresholds";
  const auto cleared = Fold(Reading(4, "47"));
  ASSERT_EQ(cleared.size(), 1U);
  EXPECT_THAT(
      cleared[0],
      HasSubstr(R"("timestamp":"2026-01-01T00:00:04.000Z","rule":"overheat","status":"cleared")"));
  EXPECT_THAT(cleared[0], HasSubstr(R"("raised_at":"2026-01-01T00:00:02.000Z")"));
  EXPECT_EQ(fold_->raised(), 0U);
}

TEST_F(FoldTest, AssetsHaveStatesOfTheirOwn) {
  Use("temperature_c > 50");
  EXPECT_EQ(Fold(Reading(1, "60", "a")).size(), 1U);
  EXPECT_EQ(Fold(Reading(1, "60", "b")).size(), 1U);
  EXPECT_EQ(Fold(Reading(2, "60", "a")).size(), 0U);
  EXPECT_EQ(fold_->raised(), 2U);
}

TEST_F(FoldTest, ForIsMeasuredOnTheSourcesOwnTime) {
  Use("temperature_c > 50 for 10s");
  EXPECT_TRUE(Fold(Reading(1, "60"), seconds(1)).empty());
  EXPECT_TRUE(Fold(Reading(5, "60"), seconds(100)).empty()) << "a late burst is no long time";
  EXPECT_EQ(Fold(Reading(11, "60"), seconds(100)).size(), 1U);
}

TEST_F(FoldTest, ForIsMeasuredOnTheTimeSinceBootWhereTheSourceGivesNone) {
  Use("temperature_c > 50 for 10s");
  const std::string hot = R"({"asset_id":"a","temperature_c":60})";
  EXPECT_TRUE(Fold(hot, seconds(100)).empty());
  EXPECT_TRUE(Fold(hot, seconds(109)).empty());
  EXPECT_EQ(Fold(hot, seconds(110)).size(), 1U);
}

TEST_F(FoldTest, AlertsThatAreRaisedInOneMillisecondHaveIdsOfTheirOwn) {
  Use("temperature_c > 50");
  const auto raised_at = [](const std::vector<std::string>& alerts) {
    if (alerts.size() != 1) return std::string("(not one alert)");
    const auto document = json::Document::Parse(alerts[0]);
    return std::string(document->root().Find("raised_at")->as_string());
  };
  for (const char* time :
       {"2026-01-01T00:00:01.000Z", "2026-01-01T00:00:01.001Z", "2026-01-01T00:00:01.002Z"}) {
    EXPECT_EQ(raised_at(Fold(Reading(1, "60"))), time);
    EXPECT_EQ(raised_at(Fold(Reading(1, "20"))), time);
  }
  EXPECT_FALSE(fold_->Find("acme", "truck-7")->states.empty());
  EXPECT_TRUE(Fold(Reading(2, "20")).empty());
  EXPECT_TRUE(fold_->Find("acme", "truck-7")->states.empty()) << "no alert can have that time now";
  EXPECT_EQ(raised_at(Fold(Reading(2, "60"))), "2026-01-01T00:00:02.000Z");
}

TEST(FoldDeathTest, ALoadedStateOfARuleThatItDoesNotNameIsABug) {
  FoldState state;
  state.assets = {
      {.key = "acme/a", .time = {}, .arrival = {}, .states = {{.rule = 0, .state = {}}}}};
  class Fold fold({}, {});
  EXPECT_DEATH(fold.Load(state), "names a saved rule");
}

}  // namespace
}  // namespace tidegate
