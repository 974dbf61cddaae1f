// The contract of query_store.h, on SQLite and the fake, and on MongoDB if TIDEGATE_TEST_MONGO_URL
// names a server, in databases whose names begin with tidegate_contract_.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "core/json/json.h"
#include "core/time_format.h"
#include "reader/database/landing.h"
#include "reader/database/queries.h"
#include "tests/support/reader/fake_query_store.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using std::chrono::seconds;
using Ids = std::vector<std::string>;

// Documents are written through the landing, as in production.
class QueryStoreContract : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const char* mongo = std::getenv("TIDEGATE_TEST_MONGO_URL");
    if (GetParam() == "Mongo" && !mongo)
      GTEST_SKIP() << "mongo: TIDEGATE_TEST_MONGO_URL names no server";
    ns_.database = "tidegate_contract_" + std::to_string(::getpid()) + "_" +
                   std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
    if (GetParam() == "Fake") {
      store_ = fake_.NewStore();
      return;
    }
    const std::string uri = mongo && GetParam() == "Mongo" ? std::string(mongo)
                                                           : "sqlite:" + folder_.File("landing.db");
    landing_ = OpenLanding(uri).value();
    writer_ = landing_->NewStore(log_).value();
    queries_ = OpenQueries(uri, clock_).value();
    store_ = queries_->NewStore().value();
  }

  void Add(const std::string& id, const std::string& time, const std::string& more = "") {
    const std::string json =
        R"({"tenant_id":"acme","asset_id":"a","timestamp":")" + time + R"(","n":1)" + more + "}";
    if (!writer_) {
      fake_.Add(ns_, id, R"({"_id":")" + id + R"(",)" + json.substr(1));
      return;
    }
    std::vector<Document> documents;
    documents.push_back(MakeDocument(id, json, ns_));
    documents.back().time = *ParseTime(time);
    const auto results = writer_->Write(documents);
    ASSERT_TRUE(results.ok()) << results.error().message;
    ASSERT_EQ(results->front().outcome, WriteOutcome::kLanded) << results->front().reason;
  }

  Query All() const { return {.ns = ns_}; }

  Page FindPage(const Query& query, const PageLimit& limit) {
    auto found = store_->Find(query, limit, seconds(5));
    EXPECT_TRUE(found.ok()) << (found.ok() ? "" : found.error().message);
    return found.ok() ? std::move(found).value() : Page();
  }
  std::vector<FoundDocument> FindAll(const Query& query, size_t limit = 100) {
    return FindPage(query, {.documents = limit}).documents;
  }
  Ids Find(const Query& query, size_t limit = 100) {
    Ids ids;
    for (const FoundDocument& document : FindAll(query, limit)) ids.push_back(document.place.id);
    return ids;
  }

  SystemClock clock_;
  Log log_{LogLevel::kError};
  TemporaryFolder folder_;
  Namespace ns_{"", "heartbeats"};
  FakeDatabase fake_;
  std::unique_ptr<Landing> landing_;
  std::unique_ptr<DocumentStore> writer_;
  std::unique_ptr<Queries> queries_;
  std::unique_ptr<QueryStore> store_;
};

TEST_P(QueryStoreContract, ANamespaceThatIsNotThereIsEmpty) {
  Add("a", "2025-06-23T00:00:01.000Z");
  EXPECT_EQ(Find({.ns = {ns_.database, "nothing"}}), Ids{});
  EXPECT_EQ(store_->Count({.ns = {ns_.database, "nothing"}}, 10, seconds(5)).value(), 0u);
}

TEST_P(QueryStoreContract, TheNewestComesFirstAndOneTimeIsOrderedById) {
  Add("b", "2025-06-23T00:00:01.000Z");
  Add("c", "2025-06-23T00:00:01.000Z");
  Add("a", "2025-06-23T00:00:02.000Z");
  Add("d", "2025-06-23T00:00:00.999Z");
  EXPECT_EQ(Find(All()), (Ids{"a", "c", "b", "d"}));
  EXPECT_EQ(Find(All(), 2), (Ids{"a", "c"}));
}

TEST_P(QueryStoreContract, PagesTogetherAreTheWhole) {
  for (int i = 0; i < 20; ++i)
    Add("id" + std::to_string(i), "2025-06-23T00:00:0" + std::to_string(i % 3) + ".000Z");
  const Ids whole = Find(All());
  ASSERT_EQ(whole.size(), 20u);
  Ids pages;
  Query query = All();
  for (bool more = true; more;) {
    const Page page = FindPage(query, {.documents = 4});
    ASSERT_FALSE(page.documents.empty());
    for (const FoundDocument& document : page.documents) pages.push_back(document.place.id);
    query.after = page.documents.back().place;
    more = page.more;
  }
  EXPECT_EQ(pages, whole);
}

TEST_P(QueryStoreContract, APageIsBoundedInBytesAndHoldsAtLeastOne) {
  for (int i = 0; i < 5; ++i) Add(std::to_string(i), "2025-06-23T00:00:01.000Z");
  const size_t one = FindAll(All(), 1)[0].json.size();
  const Page page = FindPage(All(), {.documents = 100, .bytes = 3 * one + one / 2});
  EXPECT_EQ(page.documents.size(), 3u);
  EXPECT_TRUE(page.more);
  EXPECT_EQ(FindPage(All(), {.documents = 100, .bytes = 1}).documents.size(), 1u);
  EXPECT_FALSE(FindPage(All(), {.documents = 5}).more);
}

TEST_P(QueryStoreContract, ADocumentComesWholeWithTimesAsText) {
  Add("acme/a/1", "2025-06-23T00:37:01.250Z",
      R"(,"location":{"latitude":40.7128,"list":[1,2.5,null,true,"\u20ac"]})");
  const auto found = FindAll(All());
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].place, (Place{*ParseTime("2025-06-23T00:37:01.250Z"), "acme/a/1"}));
  const auto document = json::Document::Parse(found[0].json);
  ASSERT_TRUE(document.ok()) << found[0].json;
  EXPECT_EQ(document->root().Find("_id")->as_string(), "acme/a/1");
  EXPECT_EQ(document->root().Find("timestamp")->as_string(), "2025-06-23T00:37:01.250Z");
  EXPECT_EQ(document->root().Find("n")->number_text(), "1");
  std::string location;
  json::Writer(location).Copy(*document->root().Find("location"));
  EXPECT_EQ(location, "{\"latitude\":40.7128,\"list\":[1,2.5,null,true,\"\xE2\x82\xAC\"]}");
}

TEST_P(QueryStoreContract, FromIsIncludedAndToIsNot) {
  for (int i = 1; i <= 5; ++i)
    Add(std::to_string(i), "2025-06-23T00:00:0" + std::to_string(i) + ".000Z");
  Query query = All();
  query.from = ParseTime("2025-06-23T00:00:02.000Z");
  query.to = ParseTime("2025-06-23T00:00:04.000Z");
  EXPECT_EQ(Find(query), (Ids{"3", "2"}));
  query.after = Place{*ParseTime("2025-06-23T00:00:03.000Z"), "3"};
  EXPECT_EQ(Find(query), (Ids{"2"}));
  query.from.reset();
  query.to = ParseTime("2025-06-23T00:00:02.000Z");
  EXPECT_EQ(Find(query), (Ids{"1"}));
}

TEST_P(QueryStoreContract, EveryConditionMustHold) {
  Add("1", "2025-06-23T00:00:01.000Z", R"(,"status":"raised","active":true)");
  Add("2", "2025-06-23T00:00:02.000Z", R"(,"status":"cleared","active":true)");
  Add("3", "2025-06-23T00:00:03.000Z", R"(,"status":"raised","active":false)");
  Add("4", "2025-06-23T00:00:04.000Z");
  Query query = All();
  query.where = {{"status", {"raised"}}};
  EXPECT_EQ(Find(query), (Ids{"3", "1"}));
  query.where.push_back({"active", {true}});
  EXPECT_EQ(Find(query), (Ids{"1"}));
  query.where = {{"status", {"raised", "cleared", "other"}}};
  EXPECT_EQ(Find(query), (Ids{"3", "2", "1"}));
  query.where = {{"status", {}}};
  EXPECT_EQ(Find(query), Ids{});
}

TEST_P(QueryStoreContract, AValueIsNeverAnExpression) {
  Add("1", "2025-06-23T00:00:01.000Z", R"(,"status":"raised")");
  for (const char* text : {"' OR 1=1 --", "$ne", "{\"$gt\":\"\"}", "\"", "%", "*"}) {
    Query query = All();
    query.where = {{"status", {text}}};
    EXPECT_EQ(Find(query), Ids{}) << text;
  }
}

TEST_P(QueryStoreContract, AnotherTimeMayOrderThem) {
  Add("1", "2025-06-23T00:00:09.000Z", R"(,"raised_at":"2025-06-23T00:00:01.000Z")");
  Add("2", "2025-06-23T00:00:08.000Z", R"(,"raised_at":"2025-06-23T00:00:02.000Z")");
  Add("3", "2025-06-23T00:00:07.000Z", R"(,"raised_at":17)");
  Add("4", "2025-06-23T00:00:07.000Z");
  Query query = All();
  query.time_member = "raised_at";
  EXPECT_EQ(Find(query), (Ids{"2", "1"}));
}

TEST_P(QueryStoreContract, CountingEndsAtTheBound) {
  for (int i = 0; i < 5; ++i)
    Add(std::to_string(i), "2025-06-23T00:00:01.000Z", i < 3 ? R"(,"status":"raised")" : "");
  EXPECT_EQ(store_->Count(All(), 100, seconds(5)).value(), 5u);
  EXPECT_EQ(store_->Count(All(), 4, seconds(5)).value(), 4u);
  Query query = All();
  query.where = {{"status", {"raised"}}};
  EXPECT_EQ(store_->Count(query, 100, seconds(5)).value(), 3u);
}

TEST_P(QueryStoreContract, PingAnswers) {
  Add("a", "2025-06-23T00:00:01.000Z");
  EXPECT_TRUE(store_->Ping(seconds(5)).ok());
}

INSTANTIATE_TEST_SUITE_P(Databases, QueryStoreContract, testing::Values("Fake", "Sqlite", "Mongo"),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace tidegate::reader
