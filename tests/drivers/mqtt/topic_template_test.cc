#include "drivers/mqtt/topic_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidegate {
namespace {

TopicTemplate Parsed(std::string_view text) {
  Result<TopicTemplate> parsed = TopicTemplate::Parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.ok() ? std::move(*parsed) : *TopicTemplate::Parse("#");
}

TEST(TopicTemplateTest, SubscribesWithAPlusInEachPlace) {
  EXPECT_EQ(Parsed("fleet/{tenant}/{asset}/heartbeat").filter(), "fleet/+/+/heartbeat");
  EXPECT_EQ(Parsed("{asset}").filter(), "+");
  EXPECT_EQ(Parsed("/a//+/{asset}/#").filter(), "/a//+/+/#");
  EXPECT_EQ(Parsed("plain/topic").filter(), "plain/topic");
  EXPECT_EQ(Parsed("$share/g/fleet/{tenant}/#").filter(), "$share/g/fleet/+/#");
  EXPECT_EQ(Parsed("$SYS/{asset}").filter(), "$SYS/+");
}

struct MatchCase {
  const char* pattern;
  const char* topic;
  const char* tenant;  // nullptr: no match.
  const char* asset;
};

class TopicMatchTest : public testing::TestWithParam<MatchCase> {};

TEST_P(TopicMatchTest, ReadsTheTagsBack) {
  const MatchCase& expected = GetParam();
  const TopicTemplate pattern = Parsed(expected.pattern);
  const std::optional<TopicTags> tags = pattern.Match(expected.topic);
  ASSERT_EQ(tags.has_value(), expected.tenant != nullptr);
  if (!tags.has_value()) return;
  EXPECT_EQ(tags->tenant, expected.tenant);
  EXPECT_EQ(tags->asset, expected.asset);
}

INSTANTIATE_TEST_SUITE_P(
    Table, TopicMatchTest,
    testing::Values(
        MatchCase{"fleet/{tenant}/{asset}/hb", "fleet/acme/truck-7/hb", "acme", "truck-7"},
        MatchCase{"fleet/{asset}/{tenant}/hb", "fleet/truck-7/acme/hb", "acme", "truck-7"},
        MatchCase{"fleet/{tenant}/{asset}/hb", "fleet/acme/truck-7/other", nullptr, ""},
        MatchCase{"fleet/{tenant}/{asset}/hb", "fleet/acme/hb", nullptr, ""},
        MatchCase{"fleet/{tenant}/{asset}/hb", "fleet/acme/truck-7/hb/x", nullptr, ""},
        MatchCase{"fleet/{tenant}/{asset}/hb", "fleet///hb", nullptr, ""},
        MatchCase{"fleet/{tenant}/{asset}/hb", "fleet//truck-7/hb", nullptr, ""},
        MatchCase{"fleet/+/{asset}", "fleet//7", "", "7"},
        MatchCase{"#", "$SYS/broker/uptime", nullptr, ""},
        MatchCase{"{tenant}/{asset}", "$SYS/broker", nullptr, ""},
        MatchCase{"$SYS/#", "$SYS/broker/uptime", "", ""},
        MatchCase{"$share/g/fleet/{tenant}/{asset}", "fleet/acme/7", "acme", "7"},
        MatchCase{"$share/g/fleet/{tenant}/{asset}", "$share/g/fleet/acme/7", nullptr, ""},
        MatchCase{"$share/g//{asset}", "/7", "", "7"},
        MatchCase{"fleet/+/{asset}", "fleet/x/7", "", "7"},
        MatchCase{"{asset}/#", "7/a/b/c", "", "7"}, MatchCase{"{asset}/#", "7", "", "7"},
        MatchCase{"{asset}/#", "7/", "", "7"}, MatchCase{"#", "any/thing", "", ""},
        MatchCase{"a", "a/", nullptr, ""}, MatchCase{"a/", "a", nullptr, ""},
        MatchCase{"/{asset}", "/7", "", "7"}, MatchCase{"/{asset}", "7", nullptr, ""},
        MatchCase{"a", "", nullptr, ""}));

class BadTopicTest : public testing::TestWithParam<const char*> {};

TEST_P(BadTopicTest, IsRefused) {
  const Result<TopicTemplate> parsed = TopicTemplate::Parse(GetParam());
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().code, ErrorCode::kInvalid);
}

INSTANTIATE_TEST_SUITE_P(Table, BadTopicTest,
                         testing::Values("", "#/a", "a#", "a+/b", "x{asset}", "{asset}/{asset}",
                                         "{tenant}/a/{tenant}", "{device}", "a/{asset", "a\xff",
                                         "$share", "$share/", "$share/g", "$share/g/", "$share//a",
                                         "$share/+/a", "$share/{tenant}/a"));

TEST(TopicTemplateTest, RefusesATopicOverTheProtocolsLength) {
  EXPECT_TRUE(TopicTemplate::Parse(std::string(65535, 'a')).ok());
  EXPECT_FALSE(TopicTemplate::Parse(std::string(65536, 'a')).ok());
}

}  // namespace
}  // namespace tidegate
