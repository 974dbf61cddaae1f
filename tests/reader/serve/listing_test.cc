#include "reader/serve/listing.h"

#include <gtest/gtest.h>

#include "core/time_format.h"
#include "tests/support/fake_clock.h"

namespace tidegate::reader {
namespace {

const Listing& ListingOf(std::string_view path) {
  return *FindRoute("GET", path).endpoint->listing;
}

class ListingTest : public testing::Test {
 protected:
  ListingTest() { placement_.streams.assign(BuiltInStreams().begin(), BuiltInStreams().end()); }

  Result<Query> Plan(std::string_view path, const Arguments& arguments = {}) {
    return PlanQuery(ListingOf(path), arguments, principal_, placement_, clock_.Now());
  }
  void Bind(std::set<std::string, std::less<>> tenants) {
    principal_ = {.every_tenant = false, .tenants = std::move(tenants)};
  }
  static std::vector<std::string> TenantsIn(const Query& query) {
    std::vector<std::string> tenants;
    for (const Condition& condition : query.where) {
      if (condition.member != "tenant_id") continue;
      for (const auto& value : condition.any_of) tenants.push_back(std::get<std::string>(value));
    }
    return tenants;
  }

  FakeClock clock_;
  Placement placement_;
  Principal principal_{.every_tenant = true};
};

TEST_F(ListingTest, InASharedDatabaseTenantsAreACondition) {
  EXPECT_EQ(TenantsIn(Plan("/alerts").value()), std::vector<std::string>{});
  EXPECT_EQ(TenantsIn(Plan("/alerts", {.tenant = "acme"}).value()),
            std::vector<std::string>{"acme"});
  Bind({"acme", "globex"});
  const Query both = Plan("/alerts").value();
  EXPECT_EQ(both.ns, (Namespace{"tidegate", "alert_states"}));
  EXPECT_EQ(TenantsIn(both), (std::vector<std::string>{"acme", "globex"}));
  EXPECT_EQ(Plan("/alerts", {.tenant = "initech"}).error().code, ErrorCode::kRejected);
}

TEST_F(ListingTest, WithDatabasesOfTheirOwnATenantIsNeeded) {
  placement_.tenancy = Tenancy::kDatabase;
  EXPECT_EQ(Plan("/alerts").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(Plan("/alerts", {.tenant = "acme"})->ns.database, "tidegate_acme");
  EXPECT_EQ(Plan("/gaps")->ns.database, "tidegate");
  Bind({"acme"});
  EXPECT_EQ(Plan("/gaps")->ns.database, "tidegate_acme");
  EXPECT_EQ(TenantsIn(Plan("/gaps").value()), std::vector<std::string>{"acme"});
  EXPECT_EQ(Plan("/alerts", {.tenant = "globex"}).error().code, ErrorCode::kRejected);
  Bind({"acme", "globex"});
  EXPECT_EQ(Plan("/gaps").error().code, ErrorCode::kInvalid);
}

TEST_F(ListingTest, ATokenWithoutTenantsSeesNothing) {
  Bind({});
  EXPECT_EQ(Plan("/alerts").error().code, ErrorCode::kRejected);
}

TEST_F(ListingTest, TheStreamChoosesTheCollection) {
  EXPECT_EQ(Plan("/telemetry")->ns.collection, "telemetry_raw");
  EXPECT_EQ(Plan("/telemetry", {.stream = "heartbeat"})->ns.collection, "heartbeats");
  EXPECT_EQ(Plan("/telemetry", {.stream = "other"}).error().code, ErrorCode::kInvalid);
  placement_.streams = {placement_.streams[0]};
  EXPECT_EQ(Plan("/telemetry")->ns.collection, "heartbeats");
}

TEST_F(ListingTest, RecentAlertsAreThoseOfTheLastDay) {
  EXPECT_EQ(Plan("/alerts/recent")->from, clock_.Now() - std::chrono::hours(24));
  const auto from = ParseTime("2024-01-01T00:00:00Z");
  EXPECT_EQ(Plan("/alerts/recent", {.from = from})->from, from);
  EXPECT_EQ(Plan("/alerts")->from, std::nullopt);
}

TEST_F(ListingTest, AnItemHasTheMembersOfOthersBesideItsOwn) {
  Page page;
  page.Add(
      {{*ParseTime("2025-06-23T00:00:00Z"), "a"},
       R"({"_id":"a","asset_id":"truck","rule":"hot","field":"t","raised_at":"x","tidegate":{"revision":1}})"},
      {});
  EXPECT_EQ(WritePage(ListingOf("/alerts"), page, 0),
            R"({"items":[{"_id":"a","asset_id":"truck","rule":"hot","field":"t","raised_at":"x",)"
            R"("device_id":"truck","alert_type":"hot","sensor_type":"t","timestamp":"x"}],)"
            R"("count":1,"next_cursor":null})");
}

TEST_F(ListingTest, TheAverageIsComputedWhenItIsRead) {
  Page page;
  page.Add({{{}, "a"}, R"({"count":4,"sum":10.0})"}, {});
  page.Add({{{}, "b"}, R"({"count":0,"sum":0})"}, {});
  page.Add({{{}, "c"}, R"({"count":"many"})"}, {});
  EXPECT_EQ(WritePage(ListingOf("/aggregated"), page, 0),
            R"({"items":[{"count":4,"sum":10.0,"average":2.5},{"count":0,"sum":0,"average":null},)"
            R"({"count":"many","average":null}],"count":3,"next_cursor":null})");
}

TEST_F(ListingTest, ADocumentThatCannotBeReadIsTold) {
  Page page;
  page.Add({{{}, "a"}, R"({"x":1,"x":2})"}, {});
  const std::string text = WritePage(ListingOf("/telemetry"), page, 0);
  EXPECT_EQ(text.find(R"({"items":[{"_id":"a","unreadable":")"), 0u) << text;
}

}  // namespace
}  // namespace tidegate::reader
