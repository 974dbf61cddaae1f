#include "reader/database/routed/routed_landing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "tests/support/mongo_stub/mongo_stub.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using mongo_stub::MongoStub;
using testing::ElementsAre;
using testing::HasSubstr;

class RoutedLandingTest : public testing::Test {
 protected:
  DocumentStore& store() {
    if (!store_) {
      landing_ = OpenLandings(common_->uri("serverSelectionTimeoutMS=100"),
                              {{"fleet_acme", own_->uri("serverSelectionTimeoutMS=100")}})
                     .value();
      store_ = landing_->NewStore(log_).value();
    }
    return *store_;
  }
  Result<std::vector<WriteResult>> Write(std::vector<std::pair<std::string, std::string>> what) {
    std::vector<Document> documents;
    for (const auto& [database, id] : what)
      documents.push_back(MakeDocument(id, R"({"asset_id":"a"})", {database, "heartbeats"}));
    return store().Write(documents);
  }

  Log log_{LogLevel::kError, [](LogLevel, std::string_view) {}};
  std::unique_ptr<MongoStub> common_ = MongoStub::Start({}).value();
  std::unique_ptr<MongoStub> own_ = MongoStub::Start({}).value();
  std::unique_ptr<Landing> landing_;
  std::unique_ptr<DocumentStore> store_;
};

TEST_F(RoutedLandingTest, EachTenantsDocumentsGoToItsOwnServerAndNoOther) {
  const auto results = Write({{"fleet_acme", "a"}, {"fleet_bolt", "b"}, {"fleet_acme", "c"}});
  ASSERT_TRUE(results.ok());
  EXPECT_EQ(results->size(), 3u);
  EXPECT_THAT(own_->Ids("fleet_acme.heartbeats"), ElementsAre("a", "c"));
  EXPECT_THAT(common_->Ids("fleet_bolt.heartbeats"), ElementsAre("b"));
  EXPECT_EQ(common_->taken(), 1u);
}

TEST_F(RoutedLandingTest, ResultsAreInTheOrderOfTheDocuments) {
  ASSERT_TRUE(Write({{"fleet_acme", "a"}, {"fleet_bolt", "c"}}).ok());
  own_->Script("insert", {.write_errors = {{0, 121}}});
  const auto results = Write({{"fleet_bolt", "c"}, {"fleet_acme", "b"}, {"fleet_bolt", "d"}});
  ASSERT_TRUE(results.ok());
  EXPECT_EQ((*results)[0].outcome, WriteOutcome::kDuplicate);
  EXPECT_EQ((*results)[1].outcome, WriteOutcome::kRejected);
  EXPECT_EQ((*results)[2].outcome, WriteOutcome::kLanded);
}

TEST_F(RoutedLandingTest, AServerThatIsAwayIsNamedAndKeepsNoOtherFromWhatIsTheirs) {
  store();
  own_.reset();
  const auto results = Write({{"fleet_acme", "a"}, {"fleet_bolt", "b"}});
  ASSERT_TRUE(results.ok());
  EXPECT_EQ((*results)[0].outcome, WriteOutcome::kUnavailable);
  EXPECT_THAT((*results)[0].reason, HasSubstr("database fleet_acme"));
  EXPECT_EQ((*results)[1].outcome, WriteOutcome::kLanded);
  EXPECT_THAT(common_->Ids("fleet_bolt.heartbeats"), ElementsAre("b"));
  EXPECT_TRUE(store().Ping().ok()) << "the common server answers";
}

TEST_F(RoutedLandingTest, ADatabaseWithoutRightsCostsNoOtherOne) {
  common_->Script("insert", {.code = 13});
  const auto results = Write({{"fleet_bolt", "a"}, {"fleet_coral", "b"}});
  ASSERT_TRUE(results.ok());
  EXPECT_EQ((*results)[0].outcome, WriteOutcome::kUnavailable);
  EXPECT_EQ((*results)[1].outcome, WriteOutcome::kLanded);
}

TEST_F(RoutedLandingTest, SeveralThreadsWriteManyCollections) {
  store();
  const auto writer = landing_->NewWriter(log_, 4).value();
  std::vector<Document> documents;
  for (int i = 0; i < 40; ++i)
    documents.push_back(
        MakeDocument("x", R"({"asset_id":"a"})", {"fleet_" + std::to_string(i), "heartbeats"}));
  for (int i = 0; i < 40; ++i) common_->Script("insert", {.delay = std::chrono::milliseconds(100)});
  const auto began = std::chrono::steady_clock::now();
  const auto results = writer->Write(documents);
  // One after the other they take 4 s.
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(3));
  ASSERT_TRUE(results.ok());
  for (const WriteResult& result : *results) EXPECT_EQ(result.outcome, WriteOutcome::kLanded);
  EXPECT_EQ(common_->taken(), 40u);
}

TEST_F(RoutedLandingTest, IndexesAreMadeWhereTheDocumentsAre) {
  ASSERT_TRUE(store().EnsureIndexes({"fleet_acme", "heartbeats"}, {{ExpiryIndex()}}).ok());
  EXPECT_THAT(own_->Indexes("fleet_acme.heartbeats"),
              ElementsAre(HasSubstr(R"("expireAfterSeconds" : 0)")));
  EXPECT_TRUE(common_->Indexes("fleet_acme.heartbeats").empty());
}

TEST(RoutedLanding, ATenantsFileThatCannotBeOpenedYetCostsNoOtherTenant) {
  const Log log(LogLevel::kError, [](LogLevel, std::string_view) {});
  const TemporaryFolder folder;
  const std::string mount = folder.File("mount");
  const auto landing =
      OpenLandings("sqlite:" + folder.File("common.db"), {{"fleet_acme", "sqlite:" + mount + "/a"}})
          .value();
  const auto store = landing->NewStore(log);
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE(landing->NewProjections().ok());
  ASSERT_TRUE(landing->NewCompletions().ok());
  const auto write = [&] {
    std::vector<Document> documents;
    for (const char* database : {"fleet_acme", "fleet_bolt"})
      documents.push_back(MakeDocument("a", R"({"asset_id":"a"})", {database, "heartbeats"}));
    return (*store)->Write(documents).value();
  };
  auto results = write();
  EXPECT_EQ(results[0].outcome, WriteOutcome::kUnavailable);
  EXPECT_EQ(results[1].outcome, WriteOutcome::kLanded);
  std::filesystem::create_directory(mount);
  results = write();
  EXPECT_EQ(results[0].outcome, WriteOutcome::kLanded);
  EXPECT_EQ(results[1].outcome, WriteOutcome::kDuplicate);
}

TEST(RoutedLanding, ManyServersThatAreAwayAreWaitedForAtOnce) {
  const Log log(LogLevel::kError, [](LogLevel, std::string_view) {});
  const auto common = MongoStub::Start({}).value();
  auto gone = MongoStub::Start({}).value();
  const std::string uri = gone->uri("serverSelectionTimeoutMS=500");
  gone.reset();
  std::map<std::string, std::string> uris;
  std::vector<Document> documents;
  for (int i = 0; i < 37; ++i) {
    const std::string database = "fleet_" + std::to_string(i);
    uris[database] = uri;
    documents.push_back(MakeDocument("a", R"({"asset_id":"a"})", {database, "heartbeats"}));
  }
  documents.push_back(MakeDocument("a", R"({"asset_id":"a"})", {"fleet_bolt", "heartbeats"}));
  const auto landing = OpenLandings(common->uri(), uris).value();
  const auto writer = landing->NewWriter(log, 4).value();
  const auto began = std::chrono::steady_clock::now();
  const auto results = writer->Write(documents).value();
  // One after the other they take 18 s.
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(9));
  EXPECT_EQ(std::ranges::count(results, WriteOutcome::kUnavailable, &WriteResult::outcome), 37);
  EXPECT_EQ(results.back().outcome, WriteOutcome::kLanded);
}

TEST(RoutedLanding, WhatIsWrongWithATenantsServerNamesItsDatabase) {
  const auto landing = OpenLandings("sqlite:x", {{"fleet_acme", "postgres://h"}});
  ASSERT_FALSE(landing.ok());
  EXPECT_THAT(landing.error().message, HasSubstr("fleet_acme"));
}

}  // namespace
}  // namespace tidegate::reader
