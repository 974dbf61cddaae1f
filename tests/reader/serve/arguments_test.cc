#include "reader/serve/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/time_format.h"
#include "reader/serve/cursor.h"

namespace tidegate::reader {
namespace {

using testing::HasSubstr;
using Parameters = std::map<std::string, std::string>;

Result<Arguments> Read(std::string_view path, const Parameters& query) {
  const Route route = FindRoute("GET", path);
  EXPECT_NE(route.endpoint, nullptr) << path;
  return ReadArguments(route, path, query);
}

std::string ProblemOf(std::string_view path, const Parameters& query) {
  const auto arguments = Read(path, query);
  return arguments.ok() ? "none" : arguments.error().message;
}

TEST(Route, FindsThePathAndWhatStandsForItsId) {
  EXPECT_EQ(FindRoute("GET", "/alerts").endpoint->path, "/alerts");
  EXPECT_EQ(FindRoute("GET", "/alerts/recent").endpoint->path, "/alerts/recent");
  const Route device = FindRoute("GET", "/devices/truck/1/telemetry");
  EXPECT_EQ(device.endpoint->path, "/devices/{id}/telemetry");
  EXPECT_EQ(device.id, "truck/1");
  for (const char* path : {"", "/alert", "/alerts/", "/devices//telemetry", "/devices/telemetry"})
    EXPECT_EQ(FindRoute("GET", path).endpoint, nullptr) << path;
}

TEST(Route, TellsTheMethodThatAPathTakes) {
  EXPECT_EQ(FindRoute("POST", "/alerts").endpoint, nullptr);
  EXPECT_EQ(FindRoute("POST", "/alerts").allowed, "GET");
  EXPECT_EQ(FindRoute("GET", "/shutdown").allowed, "POST");
  EXPECT_EQ(FindRoute("GET", "/nothing").allowed, "");
}

TEST(Arguments, FiltersBecomeConditions) {
  const auto arguments = Read("/alerts", {{"tenant", "acme"},
                                          {"status", "raised"},
                                          {"severity", "critical"},
                                          {"device", "truck 1"},
                                          {"from", "2025-06-23T00:00:00Z"},
                                          {"to",
                                           "2025-06-24"
                                           "T00:00:00+02:00"},
                                          {"limit", "7"}});
  ASSERT_TRUE(arguments.ok()) << arguments.error().message;
  EXPECT_EQ(arguments->tenant, "acme");
  EXPECT_EQ(arguments->limit, 7u);
  EXPECT_EQ(arguments->from, ParseTime("2025-06-23T00:00:00Z"));
  EXPECT_EQ(arguments->to, ParseTime("2025-06-23T22:00:00Z"));
  ASSERT_EQ(arguments->where.size(), 3u);
  EXPECT_EQ(arguments->where[0].member, "asset_id");
}

TEST(Arguments, TheDefaultsAreBounded) {
  const auto arguments = Read("/telemetry", {});
  ASSERT_TRUE(arguments.ok());
  EXPECT_EQ(arguments->limit, 100u);
  EXPECT_TRUE(arguments->where.empty() && !arguments->from && !arguments->after);
}

TEST(Arguments, AFailuresStatusIsItsActiveMember) {
  const auto ended = Read("/failures", {{"status", "ended"}});
  ASSERT_TRUE(ended.ok());
  EXPECT_EQ(ended->where[0].member, "active");
  EXPECT_EQ(std::get<bool>(ended->where[0].any_of[0]), false);
}

TEST(Arguments, WhatIsWrongIsTold) {
  EXPECT_THAT(ProblemOf("/alerts", {{"tenent", "acme"}}), HasSubstr("did you mean tenant?"));
  for (const char* limit : {"0", "1001", "-1", "1.5", "", "x", "99999999999999999999", " 1"})
    EXPECT_THAT(ProblemOf("/alerts", {{"limit", limit}}), HasSubstr("limit")) << limit;
  for (const char* time : {"", "yesterday", "2025-13-01T00:00:00Z", "1750000000"})
    EXPECT_THAT(ProblemOf("/alerts", {{"from", time}}), HasSubstr("from")) << time;
  EXPECT_THAT(ProblemOf("/alerts", {{"status", "Raised"}}), HasSubstr("raised, cleared"));
  EXPECT_THAT(ProblemOf("/alerts", {{"tenant", "../x"}}), HasSubstr("tenant"));
  EXPECT_THAT(ProblemOf("/alerts", {{"device", ""}}), HasSubstr("device"));
  EXPECT_THAT(ProblemOf("/alerts", {{"device", "\xff"}}), HasSubstr("device"));
  EXPECT_THAT(ProblemOf("/alerts", {{"device", std::string(257, 'a')}}), HasSubstr("device"));
  EXPECT_THAT(ProblemOf("/devices/a\nb/telemetry", {}), HasSubstr("device"));
}

TEST(Cursor, ReadsBackForItsListOnly) {
  const Place place{*ParseTime("2025-06-23T00:37:01.250Z"), "acme/truck-1/\xE2\x82\xAC"};
  const std::string text = EncodeCursor(place, 17);
  EXPECT_EQ(DecodeCursor(text, 17), place);
  EXPECT_EQ(DecodeCursor(text, 18), std::nullopt);
  EXPECT_EQ(DecodeCursor(text + "0", 17), std::nullopt);
  EXPECT_EQ(DecodeCursor(text + "ff", 17), std::nullopt);
  EXPECT_EQ(DecodeCursor(text.substr(0, 31), 17), std::nullopt);
  EXPECT_EQ(DecodeCursor("", 17), std::nullopt);
  EXPECT_EQ(DecodeCursor(std::string(10'000, '0'), 0), std::nullopt);
  const Place before{*ParseTime("0001-01-01T00:00:00Z"), ""};
  EXPECT_EQ(DecodeCursor(EncodeCursor(before, 0), 0), before);
}

TEST(Cursor, IsBoundToPathAndFiltersButNotToTheLimit) {
  const auto first = Read("/alerts", {{"status", "raised"}, {"limit", "1"}});
  ASSERT_TRUE(first.ok());
  const std::string cursor = EncodeCursor({*ParseTime("2025-06-23T00:00:00Z"), "x"}, first->list);
  EXPECT_EQ(ProblemOf("/alerts", {{"status", "raised"}, {"limit", "9"}, {"cursor", cursor}}),
            "none");
  EXPECT_THAT(ProblemOf("/alerts", {{"status", "cleared"}, {"cursor", cursor}}),
              HasSubstr("cursor"));
  EXPECT_THAT(ProblemOf("/alerts", {{"cursor", cursor}}), HasSubstr("cursor"));
  EXPECT_THAT(ProblemOf("/alerts/recent", {{"status", "raised"}, {"cursor", cursor}}),
              HasSubstr("cursor"));
}

TEST(ArgumentsDeathTest, ARouteWithoutAnEndpointAborts) {
  EXPECT_DEATH(static_cast<void>(ReadArguments({}, "/nothing", {})), "the route has an endpoint");
}

}  // namespace
}  // namespace tidegate::reader
