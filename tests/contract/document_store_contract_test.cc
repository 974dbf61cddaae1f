// The contract of document_store.h, on SQLite, the fake, and MongoDB's store with the stub; also on
// a MongoDB server if TIDEGATE_TEST_MONGO_URL names one, in databases whose names begin with
// tidegate_contract_.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>

#include "reader/database/mongo/mongo_landing.h"
#include "reader/database/sqlite/sqlite_store.h"
#include "tests/support/mongo_stub/mongo_stub.h"
#include "tests/support/reader/fake_document_store.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

// A database on which several stores can be opened, as several workers do.
class Place {
 public:
  virtual ~Place() = default;
  virtual std::unique_ptr<DocumentStore> Open() = 0;
};

class SqlitePlace final : public Place {
 public:
  std::unique_ptr<DocumentStore> Open() override {
    auto store = SqliteStore::Open({.path = folder_.File("landing.db")});
    EXPECT_TRUE(store.ok());
    return std::move(store).value();
  }

 private:
  TemporaryFolder folder_;
};

class MongoPlace final : public Place {
 public:
  explicit MongoPlace(const char* uri) : landing_(OpenMongoLanding(uri, {}).value()) {}
  std::unique_ptr<DocumentStore> Open() override { return landing_->NewStore(log_).value(); }

 private:
  Log log_;
  std::unique_ptr<Landing> landing_;
};

class FakePlace final : public Place {
 public:
  // Forwards to the fake, so that several stores share it.
  class Handle final : public DocumentStore {
   public:
    explicit Handle(FakeDocumentStore& store) : store_(store) {}
    Result<std::vector<WriteResult>> Write(std::span<const Document> documents) override {
      return store_.Write(documents);
    }
    Status EnsureIndexes(const Namespace& ns, std::span<const Index> indexes) override {
      return store_.EnsureIndexes(ns, indexes);
    }
    Status Ping() override { return store_.Ping(); }

   private:
    FakeDocumentStore& store_;
  };
  std::unique_ptr<DocumentStore> Open() override { return std::make_unique<Handle>(store_); }

 private:
  FakeDocumentStore store_;
};

class DocumentStoreContract : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const char* uri = std::getenv("TIDEGATE_TEST_MONGO_URL");
    if (GetParam() == "Mongo" && !uri)
      GTEST_SKIP() << "mongo: TIDEGATE_TEST_MONGO_URL names no server";
    if (GetParam() == "Mongo") place_ = std::make_unique<MongoPlace>(uri);
    if (GetParam() == "Stub") {
      stub_ = mongo_stub::MongoStub::Start({}).value();
      place_ = std::make_unique<MongoPlace>(stub_->uri().c_str());
    }
    if (GetParam() == "Sqlite") place_ = std::make_unique<SqlitePlace>();
    if (GetParam() == "Fake") place_ = std::make_unique<FakePlace>();
    store_ = place_->Open();
    // A server may hold documents of an earlier run: every test has a database of its own.
    database_ = "tidegate_contract_" + std::to_string(::getpid()) + "_" +
                std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
  }

  Document Heartbeat(std::string_view id, std::string_view extra = "") {
    return MakeDocument(
        id,
        R"({"tenant_id":"acme","asset_id":"truck-1","timestamp":"2025-06-23T00:37:01.000Z")" +
            std::string(extra) + "}",
        {database_, "heartbeats"});
  }

  std::vector<WriteOutcome> Write(std::vector<Document> documents) {
    auto results = store_->Write(documents);
    EXPECT_TRUE(results.ok()) << (results.ok() ? "" : results.error().message);
    std::vector<WriteOutcome> outcomes;
    if (results.ok()) {
      for (const WriteResult& result : *results) outcomes.push_back(result.outcome);
    }
    return outcomes;
  }

  template <typename... Documents>
  std::vector<WriteOutcome> WriteAll(Documents... documents) {
    std::vector<Document> list;
    (list.push_back(std::move(documents)), ...);
    return Write(std::move(list));
  }

  std::unique_ptr<mongo_stub::MongoStub> stub_;
  std::unique_ptr<Place> place_;
  std::unique_ptr<DocumentStore> store_;
  std::string database_;
};

using enum WriteOutcome;

TEST_P(DocumentStoreContract, ANewDocumentLands) {
  EXPECT_EQ(WriteAll(Heartbeat("a")), std::vector{kLanded});
}

TEST_P(DocumentStoreContract, NothingToWriteIsFine) {
  EXPECT_EQ(Write({}), std::vector<WriteOutcome>{});
}

TEST_P(DocumentStoreContract, TheSameIdAgainIsADuplicateAndOthersLand) {
  WriteAll(Heartbeat("a"));
  EXPECT_EQ(WriteAll(Heartbeat("b"), Heartbeat("a"), Heartbeat("c")),
            (std::vector{kLanded, kDuplicate, kLanded}));
}

TEST_P(DocumentStoreContract, TheSameIdTwiceInOneWriteLandsOnce) {
  EXPECT_EQ(WriteAll(Heartbeat("a"), Heartbeat("a")), (std::vector{kLanded, kDuplicate}));
}

TEST_P(DocumentStoreContract, TheSameIdInAnotherCollectionIsAnotherDocument) {
  Document other = Heartbeat("a");
  other.ns.collection = "alerts";
  EXPECT_EQ(WriteAll(Heartbeat("a"), std::move(other)), (std::vector{kLanded, kLanded}));
}

TEST_P(DocumentStoreContract, AWriteThatIsRepeatedWholeHasOnlyDuplicates) {
  std::vector<Document> batch;
  for (int i = 0; i < 2'500; ++i) batch.push_back(Heartbeat(std::to_string(i)));
  auto first = store_->Write(batch);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(std::ranges::count(*first, kLanded, &WriteResult::outcome), 2'500);
  auto second = store_->Write(batch);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(std::ranges::count(*second, kDuplicate, &WriteResult::outcome), 2'500);
}

TEST_P(DocumentStoreContract, DuplicatesOfSeveralCommandsAreEachFound) {
  std::vector<Document> batch;
  for (int i = 0; i < 2'500; i += 500) batch.push_back(Heartbeat(std::to_string(i)));
  Write(std::move(batch));
  std::vector<Document> all;
  for (int i = 0; i < 2'500; ++i) all.push_back(Heartbeat(std::to_string(i)));
  const std::vector<WriteOutcome> outcomes = Write(std::move(all));
  ASSERT_EQ(outcomes.size(), 2'500u);
  for (size_t i = 0; i < outcomes.size(); ++i)
    EXPECT_EQ(outcomes[i], i % 500 == 0 ? kDuplicate : kLanded) << i;
}

TEST_P(DocumentStoreContract, OddValuesLand) {
  EXPECT_EQ(
      WriteAll(
          Heartbeat(
              "numbers",
              R"(,"a":-0,"b":1e400,"c":123456789012345678901234567890,"d":9223372036854775807)"),
          Heartbeat("nested", R"(,"a":{"b":[1,[2,{"c":null}],true,""]},"":{})"),
          Heartbeat("text", R"(,"a":"\u20ac \ud83d\ude9a \" \\ ")")),
      (std::vector{kLanded, kLanded, kLanded}));
}

TEST_P(DocumentStoreContract, WhatOneWorkerLandedIsADuplicateToAnother) {
  auto other = place_->Open();
  WriteAll(Heartbeat("a"));
  std::vector<Document> again;
  again.push_back(Heartbeat("a"));
  auto results = other->Write(again);
  ASSERT_TRUE(results.ok());
  EXPECT_EQ((*results)[0].outcome, kDuplicate);
}

TEST_P(DocumentStoreContract, IndexesCanBeAskedForTwice) {
  const std::vector<Index> indexes{
      {"asset_time", {{"tenant_id", 1}, {"asset_id", 1}, {"timestamp", -1}}},
      {"time", {{"timestamp", -1}}}};
  EXPECT_TRUE(store_->EnsureIndexes({database_, "heartbeats"}, indexes).ok());
  EXPECT_TRUE(store_->EnsureIndexes({database_, "heartbeats"}, indexes).ok());
  // Dropped, once and again, and made with other keys.
  const std::vector<Index> changed{{.name = "time", .retired = true},
                                   {.name = "never_there", .retired = true},
                                   {"newest", {{"timestamp", -1}}}};
  EXPECT_TRUE(store_->EnsureIndexes({database_, "heartbeats"}, changed).ok());
  EXPECT_TRUE(store_->EnsureIndexes({database_, "heartbeats"}, changed).ok());
  EXPECT_EQ(WriteAll(Heartbeat("a")), std::vector{kLanded});
}

TEST_P(DocumentStoreContract, DocumentsLandBeforeAnyIndexIsMade) {
  std::vector<Document> documents;
  documents.push_back(MakeDocument("a", R"({"asset_id":"a"})", {database_, "never_indexed"}));
  const auto results = store_->Write(documents);
  ASSERT_TRUE(results.ok());
  EXPECT_EQ(results->front().outcome, kLanded);
  EXPECT_EQ(place_->Open()->Write(documents).value().front().outcome, kDuplicate);
}

TEST_P(DocumentStoreContract, PingAnswers) {
  EXPECT_TRUE(store_->Ping().ok());
}

INSTANTIATE_TEST_SUITE_P(Landings, DocumentStoreContract,
                         testing::Values("Fake", "Sqlite", "Stub", "Mongo"),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace tidegate::reader
