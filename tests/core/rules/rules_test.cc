#include "core/rules/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace tidegate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

Rule MustParse(std::string_view text) {
  auto rule = ParseRule("test", text);
  EXPECT_TRUE(rule.ok()) << text << ": " << (rule.ok() ? "" : rule.error().message);
  return rule.ok() ? *rule : Rule{};
}

TEST(ParseRule, ReadsEveryClause) {
  const auto rule = ParseRule("OVERHEAT",
                              "temperature_c > 50 clear 48 for 10s severity critical tenant acme "
                              "asset \"truck 1*\"");
  ASSERT_TRUE(rule.ok());
  EXPECT_EQ(rule->name, "overheat");
  EXPECT_EQ(rule->field, "temperature_c");
  EXPECT_EQ(rule->op, RuleOperator::kGreater);
  EXPECT_EQ(std::get<double>(rule->value), 50);
  EXPECT_EQ(rule->clear, 48);
  EXPECT_EQ(rule->hold, seconds(10));
  EXPECT_EQ(rule->severity, "critical");
  EXPECT_EQ(rule->tenant, "acme");
  EXPECT_EQ(rule->asset, "truck 1*");
}

TEST(ParseRule, TheClausesHaveDefaultsAndAnyOrder) {
  const Rule plain = MustParse("x < -1.5e2");
  EXPECT_EQ(std::get<double>(plain.value), -150);
  EXPECT_FALSE(plain.clear);
  EXPECT_EQ(plain.hold, milliseconds(0));
  EXPECT_EQ(plain.severity, "warning");
  EXPECT_TRUE(plain.AppliesTo("any", "thing"));
  const Rule turned = MustParse("  x\t<= 1 severity info for 1m clear 2 ");
  EXPECT_EQ(turned.severity, "info");
  EXPECT_EQ(turned.clear, 2);
}

TEST(ParseRule, AnUnquotedWordIsNumberTruthOrTextAndAQuotedOneIsText) {
  EXPECT_EQ(std::get<double>(MustParse("x == 5").value), 5);
  EXPECT_EQ(std::get<bool>(MustParse("x != true").value), true);
  EXPECT_EQ(std::get<bool>(MustParse("x == false").value), false);
  EXPECT_EQ(std::get<std::string>(MustParse("x == fault").value), "fault");
  EXPECT_EQ(std::get<std::string>(MustParse("x == \"true\"").value), "true");
  EXPECT_EQ(std::get<std::string>(MustParse("x == \"5\"").value), "5");
  EXPECT_EQ(std::get<std::string>(MustParse("x == \"two words\"").value), "two words");
  EXPECT_EQ(std::get<std::string>(MustParse("x == \"\"").value), "");
}

TEST(ParseRule, SaysWhichWordIsWrongAndWhatWasExpected) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"", "expected <field> <op> <value>"},
      {"x", "nothing follows \"x\"; expected > >= < <= == or !="},
      {"x >", "nothing follows \">\"; expected a value"},
      {"x => 5", "\"=>\" is no operator"},
      {"x = 5", "\"=\" is no operator"},
      {"x>5", "put spaces around the operator"},
      {".x > 5", "\".x\" is no field"},
      {"a..b > 5", "\"a..b\" is no field"},
      {"\"\" > 5", "is no field"},
      {"x > hot", "\"hot\" is no number; > compares numbers"},
      {"x > \"50\"", "\"50\" is no number"},
      {"x > true", "\"true\" is no number"},
      {"x > nan", "\"nan\" is no number"},
      {"x > inf", "\"inf\" is no number"},
      {"x > 1e999", "\"1e999\" is no number"},
      {"x > 0x10", "\"0x10\" is no number"},
      {"x > 5 clear", "nothing follows \"clear\""},
      {"x > 5 clear cold", "clear \"cold\" is no number"},
      {"x > 50 clear 60", "clear 60 is above > 50"},
      {"x >= 50 clear 50.5", "clear 50.5 is above >= 50"},
      {"x < 5 clear 4", "clear 4 is below < 5"},
      {"x == 5 clear 4", "not with =="},
      {"x != on clear 4", "not with !="},
      {"x > 5 for 10", "for \"10\" is no duration"},
      {"x > 5 for -1s", "for \"-1s\" is no duration"},
      {"x > 5 severity fatal", "expected info, warning or critical"},
      {"x > 5 tenant a/b", "tenant \"a/b\""},
      {"x > 5 asset \"\"", "asset \"\""},
      {"x > 5 sevrity info", "\"sevrity\" is unknown; expected clear, for"},
      {"x > 5 6", "\"6\" is unknown"},
      {"x > 5 for 1s for 2s", "\"for\" is given twice"},
      {"x == \"open", "no closing quote"},
  };
  for (const auto& [text, message] : cases) {
    const auto rule = ParseRule("test", text);
    ASSERT_FALSE(rule.ok()) << text;
    EXPECT_EQ(rule.error().code, ErrorCode::kInvalid);
    EXPECT_THAT(rule.error().message, HasSubstr(message)) << text;
  }
}

TEST(ParseRule, ANameThatCannotBePartOfAnIdIsRefused) {
  for (const char* name : {"", "a/b", "a b", "\xC3\xA5"}) {
    EXPECT_FALSE(ParseRule(name, "x > 5").ok()) << name;
  }
  EXPECT_FALSE(ParseRule(std::string(65, 'a'), "x > 5").ok());
}

TEST(Rule, AppliesByTenantAndPattern) {
  const Rule rule = MustParse("x > 5 tenant acme asset truck-[0-4]*");
  EXPECT_TRUE(rule.AppliesTo("acme", "truck-42"));
  EXPECT_TRUE(rule.AppliesTo("acme", "truck-4/left"));
  EXPECT_FALSE(rule.AppliesTo("acme", "truck-5"));
  EXPECT_FALSE(rule.AppliesTo("other", "truck-42"));
}

TEST(FindField, LooksInTheRecordThenInAdditionalDataAndGoesDeeperAtDots) {
  const auto document = json::Document::Parse(
      R"({"status":"on","location":{"latitude":59.5},"additional_data":
         {"status":"off","a":{"b":{"c":1}},"d.e":2,"speed":3}})");
  ASSERT_TRUE(document.ok());
  const json::Value root = document->root();
  EXPECT_EQ(FindField(root, "status")->as_string(), "on");
  EXPECT_EQ(FindField(root, "location.latitude")->as_number(), 59.5);
  EXPECT_EQ(FindField(root, "speed")->as_number(), 3);
  EXPECT_EQ(FindField(root, "a.b.c")->as_number(), 1);
  EXPECT_EQ(FindField(root, "d.e")->as_number(), 2);
  EXPECT_EQ(FindField(root, "additional_data.speed")->as_number(), 3);
  EXPECT_FALSE(FindField(root, "missing"));
  EXPECT_FALSE(FindField(root, "status.deeper"));
  EXPECT_FALSE(FindField(root, "a.b.x"));
}

// Feeds one rule value by value.
class RuleFold : public testing::Test {
 protected:
  void Use(std::string_view text) { rule_ = MustParse(text); }

  // `value` is JSON; `second` is the moment, and the record's time.
  RuleChange Feed(std::string value, int second, TimeSource axis = TimeSource::kSource) {
    const auto document = json::Document::Parse(value);
    EXPECT_TRUE(document.ok()) << value;
    return Evaluate(rule_, document->root(), {axis, seconds(second)}, WallTime(seconds(second)),
                    state_);
  }

  Rule rule_;
  RuleState state_;
};

TEST_F(RuleFold, RaisesOnceAndClearsOnce) {
  Use("x > 50");
  EXPECT_EQ(Feed("50", 1), RuleChange::kNone);
  EXPECT_EQ(Feed("50.1", 2), RuleChange::kRaised);
  EXPECT_EQ(state_.raised_at, WallTime(seconds(2)));
  EXPECT_EQ(Feed("99", 3), RuleChange::kNone);
  EXPECT_EQ(Feed("50", 4), RuleChange::kCleared);
  EXPECT_EQ(state_.raised_at, WallTime(seconds(2)));
  EXPECT_EQ(Feed("1", 5), RuleChange::kNone);
}

TEST_F(RuleFold, HysteresisKeepsTheAlertUntilTheClearValue) {
  Use("x > 50 clear 48");
  EXPECT_EQ(Feed("51", 1), RuleChange::kRaised);
  EXPECT_EQ(Feed("49", 2), RuleChange::kNone);
  EXPECT_EQ(Feed("48.01", 3), RuleChange::kNone);
  EXPECT_EQ(Feed("48", 4), RuleChange::kCleared);
  EXPECT_EQ(Feed("49", 5), RuleChange::kNone);
}

TEST_F(RuleFold, HysteresisWorksDownwards) {
  Use("x <= 10 clear 12");
  EXPECT_EQ(Feed("10", 1), RuleChange::kRaised);
  EXPECT_EQ(Feed("12", 2), RuleChange::kNone);
  EXPECT_EQ(Feed("12.5", 3), RuleChange::kCleared);
}

TEST_F(RuleFold, TheConditionMustHoldForTheWholeTime) {
  Use("x > 50 for 10s");
  EXPECT_EQ(Feed("60", 0), RuleChange::kNone);
  EXPECT_EQ(Feed("60", 9), RuleChange::kNone);
  EXPECT_EQ(Feed("40", 10), RuleChange::kNone);
  EXPECT_EQ(Feed("60", 11), RuleChange::kNone);
  EXPECT_EQ(Feed("60", 20), RuleChange::kNone);
  EXPECT_EQ(Feed("60", 21), RuleChange::kRaised);
  EXPECT_FALSE(state_.met_since);
}

TEST_F(RuleFold, AChangeOfAxisStartsTheWaitAnew) {
  Use("x > 50 for 10s");
  Feed("60", 0);
  EXPECT_EQ(Feed("60", 1000, TimeSource::kGateway), RuleChange::kNone);
  EXPECT_EQ(Feed("60", 1009, TimeSource::kGateway), RuleChange::kNone);
  EXPECT_EQ(Feed("60", 1010, TimeSource::kGateway), RuleChange::kRaised);
}

TEST_F(RuleFold, AClockSetBackDelaysTheAlertByTheWaitAtMost) {
  Use("x > 50 for 10s");
  Feed("60", 1'000'000);
  EXPECT_EQ(Feed("60", 5), RuleChange::kNone);
  EXPECT_EQ(Feed("60", 15), RuleChange::kRaised);
}

TEST_F(RuleFold, EqualityTakesNumbersTruthsAndTexts) {
  Use("x == 5");
  EXPECT_EQ(Feed("5.0", 1), RuleChange::kRaised);
  EXPECT_EQ(Feed("6", 2), RuleChange::kCleared);
  Use("x != true");
  EXPECT_EQ(Feed("true", 3), RuleChange::kNone);
  EXPECT_EQ(Feed("false", 4), RuleChange::kRaised);
  EXPECT_EQ(Feed("true", 5), RuleChange::kCleared);
  Use("x == fault");
  EXPECT_EQ(Feed("\"ok\"", 6), RuleChange::kNone);
  EXPECT_EQ(Feed("\"fault\"", 7), RuleChange::kRaised);
  Use("x != fault");
  EXPECT_EQ(Feed("\"fault\"", 8), RuleChange::kCleared);
}

TEST_F(RuleFold, AMissingFieldOrAnotherTypeChangesNothing) {
  Use("x > 50 for 10s");
  Feed("60", 1);
  const RuleState before = state_;
  EXPECT_EQ(Evaluate(rule_, std::nullopt, {TimeSource::kSource, seconds(20)}, WallTime(), state_),
            RuleChange::kNone);
  for (const char* value : {"\"60\"", "true", "null", "[60]", "{}"}) {
    EXPECT_EQ(Feed(value, 20), RuleChange::kNone) << value;
  }
  EXPECT_EQ(state_, before);
  Use("x == \"5\"");
  EXPECT_EQ(Feed("5", 21), RuleChange::kNone);
  Use("x != on");
  EXPECT_EQ(Feed("1", 22), RuleChange::kNone);
}

TEST_F(RuleFold, AMissingFieldDoesNotClear) {
  Use("x > 50");
  EXPECT_EQ(Feed("60", 1), RuleChange::kRaised);
  EXPECT_EQ(Feed("null", 2), RuleChange::kNone);
  EXPECT_TRUE(state_.raised);
}

TEST(RuleState, IsEqualByAllItHolds) {
  RuleState a;
  RuleState b;
  EXPECT_TRUE(a == b);
  b.met_since = Moment{TimeSource::kGateway, seconds(1)};
  EXPECT_FALSE(a == b);
  a.met_since = Moment{TimeSource::kSource, seconds(1)};
  EXPECT_FALSE(a == b);
  a.met_since->axis = TimeSource::kGateway;
  EXPECT_TRUE(a == b);
  a.raised = true;
  EXPECT_FALSE(a == b);
}

}  // namespace
}  // namespace tidegate
