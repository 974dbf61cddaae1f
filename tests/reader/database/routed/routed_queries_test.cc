#include "reader/database/routed/routed_queries.h"

#include <gtest/gtest.h>

#include "tests/support/reader/fake_query_store.h"

namespace tidegate::reader {
namespace {

using std::chrono::seconds;

class FakeQueries final : public Queries {
 public:
  explicit FakeQueries(FakeDatabase& database) : database_(database) {}
  Result<std::unique_ptr<QueryStore>> NewStore() override {
    if (refuses) return Error{ErrorCode::kUnavailable, "no connection"};
    ++connections;
    return database_.NewStore();
  }

  bool refuses = false;
  int connections = 0;

 private:
  FakeDatabase& database_;
};

class RoutedQueriesTest : public testing::Test {
 protected:
  RoutedQueriesTest() {
    QueriesOfDatabase of_database;
    auto own = std::make_unique<FakeQueries>(own_);
    own_queries_ = own.get();
    of_database.emplace("fleet_acme", std::move(own));
    queries_ = RouteQueries(std::make_unique<FakeQueries>(common_), std::move(of_database));
    store_ = queries_->NewStore().value();
  }
  static void Add(FakeDatabase& database, const std::string& name) {
    database.Add({name, "c"}, "1", R"({"_id":"1","timestamp":"2025-06-23T00:00:00Z"})");
  }
  size_t Found(const std::string& database) {
    const auto page = store_->Find({.ns = {database, "c"}}, {}, seconds(1));
    return page.ok() ? page->documents.size() : 99;
  }

  FakeDatabase common_;
  FakeDatabase own_;
  FakeQueries* own_queries_ = nullptr;
  std::unique_ptr<Queries> queries_;
  std::unique_ptr<QueryStore> store_;
};

TEST_F(RoutedQueriesTest, ATenantsDatabaseIsAskedOnItsOwnServer) {
  Add(common_, "fleet");
  Add(common_, "fleet_globex");
  Add(own_, "fleet_acme");
  EXPECT_EQ(Found("fleet"), 1u);
  EXPECT_EQ(Found("fleet_globex"), 1u);
  EXPECT_EQ(Found("fleet_acme"), 1u);
  EXPECT_EQ(store_->Count({.ns = {"fleet_acme", "c"}}, 10, seconds(1)).value(), 1u);
}

TEST_F(RoutedQueriesTest, OneTenantsDatabaseIsUnknownToTheOthersServer) {
  Add(own_, "fleet_globex");
  Add(common_, "fleet_acme");
  EXPECT_EQ(Found("fleet_globex"), 0u);
  EXPECT_EQ(Found("fleet_acme"), 0u);
}

TEST_F(RoutedQueriesTest, ATenantsServerIsConnectedToOnceAndOnlyWhenItIsAsked) {
  Found("fleet");
  EXPECT_TRUE(store_->Ping(seconds(1)).ok());
  EXPECT_EQ(own_queries_->connections, 0);
  for (int i = 0; i < 3; ++i) Found("fleet_acme");
  EXPECT_EQ(own_queries_->connections, 1);
  // Stores are used by different threads, and share none.
  const auto another = queries_->NewStore().value();
  EXPECT_TRUE(another->Count({.ns = {"fleet_acme", "c"}}, 10, seconds(1)).ok());
  EXPECT_EQ(own_queries_->connections, 2);
}

TEST_F(RoutedQueriesTest, AConnectionThatFailsIsTriedAgainWithTheNextQuestion) {
  Add(own_, "fleet_acme");
  own_queries_->refuses = true;
  EXPECT_EQ(Found("fleet_acme"), 99u);
  EXPECT_EQ(store_->Count({.ns = {"fleet_acme", "c"}}, 10, seconds(1)).error().code,
            ErrorCode::kUnavailable);
  own_queries_->refuses = false;
  EXPECT_EQ(Found("fleet_acme"), 1u);
}

TEST_F(RoutedQueriesTest, AServerThatIsAwayConcernsOnlyItsTenant) {
  Add(common_, "fleet");
  own_.TakeDown();
  EXPECT_EQ(Found("fleet_acme"), 99u);
  EXPECT_EQ(Found("fleet"), 1u);
  EXPECT_TRUE(store_->Ping(seconds(1)).ok());
}

}  // namespace
}  // namespace tidegate::reader
