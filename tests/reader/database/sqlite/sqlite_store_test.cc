#include "reader/database/sqlite/sqlite_store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>

#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

class SqliteStoreTest : public testing::Test {
 protected:
  std::unique_ptr<SqliteStore> Open() {
    auto store = SqliteStore::Open({.path = path_, .busy_timeout = std::chrono::milliseconds(10)});
    EXPECT_TRUE(store.ok());
    return std::move(store).value();
  }

  // The first column of the first row, as another program sees it.
  std::string Query(const std::string& sql) {
    sqlite3* database = nullptr;
    sqlite3_stmt* statement = nullptr;
    std::string answer;
    sqlite3_open(path_.c_str(), &database);
    EXPECT_EQ(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    if (sqlite3_step(statement) == SQLITE_ROW)
      answer = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return answer;
  }

  Result<std::vector<WriteResult>> WriteOne(SqliteStore& store, std::string_view id,
                                            std::string_view value) {
    std::vector<Document> documents;
    documents.push_back(MakeDocument(id, value));
    return store.Write(documents);
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.File("landing.db");
};

TEST_F(SqliteStoreTest, AnyShellReadsWhatLandedWhileTheReaderRuns) {
  auto store = Open();
  ASSERT_TRUE(WriteOne(*store, "a",
                       R"({"asset_id":"truck-1","timestamp":"2025-06-23T02:37:01+02:00","n":1.10})")
                  .ok());
  EXPECT_EQ(
      Query(R"(SELECT body FROM "fleet.heartbeats" WHERE id = 'a')"),
      R"({"_id":"a","asset_id":"truck-1","timestamp":"2025-06-23T00:37:01.000Z","n":1.10,"tenant_id":"acme",)"
      R"("tidegate":{"gateway":"gw-1","sequence_id":"gw-1:e1:7","time":"source","clock":"synced",)"
      R"("topic":"telematics.raw.telematics_heartbeat","partition":2,"offset":5000000000,)"
      R"("received_at":"2025-06-23T00:37:02.000Z","schema":1}})");
  EXPECT_EQ(Query(R"(SELECT body ->> '$.tidegate.gateway' FROM "fleet.heartbeats")"), "gw-1");
}

TEST_F(SqliteStoreTest, AnIndexServesTheQueryThatItIsFor) {
  auto store = Open();
  const std::vector<Index> indexes{{"asset_time", {{"asset_id", 1}, {"timestamp", -1}}}};
  ASSERT_TRUE(store->EnsureIndexes({"fleet", "heartbeats"}, indexes).ok());
  EXPECT_EQ(
      Query(R"(SELECT count(*) FROM sqlite_schema WHERE name = 'fleet.heartbeats.asset_time')"),
      "1");
}

TEST_F(SqliteStoreTest, ARetiredIndexGoesWhereItIsThere) {
  auto store = Open();
  const Namespace ns{"fleet", "heartbeats"};
  ASSERT_TRUE(store->EnsureIndexes(ns, {{{"time", {{"timestamp", -1}}}}}).ok());
  for (int time = 0; time < 2; ++time)
    ASSERT_TRUE(store->EnsureIndexes(ns, {{{.name = "time", .retired = true}}}).ok());
  EXPECT_EQ(Query("SELECT count(*) FROM sqlite_schema WHERE name = 'fleet.heartbeats.time'"), "0");
}

TEST_F(SqliteStoreTest, AForeignFileIsRefusedAndLeftAlone) {
  Query("SELECT 1");
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(database, "CREATE TABLE mine(x)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  auto store = SqliteStore::Open({.path = path_});
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(Query("PRAGMA journal_mode"), "delete");
}

TEST_F(SqliteStoreTest, AFileThatIsNoDatabaseIsRefused) {
  std::ofstream(path_) << std::string(8'192, 'x');
  auto store = SqliteStore::Open({.path = path_});
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().code, ErrorCode::kInvalid);
}

TEST_F(SqliteStoreTest, AFolderThatIsMissingIsUnavailable) {
  auto store = SqliteStore::Open({.path = folder_.File("none/landing.db")});
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().code, ErrorCode::kUnavailable);
}

TEST_F(SqliteStoreTest, AWriteBesideALongerOneIsUnavailableAndPassesLater) {
  auto store = Open();
  ASSERT_TRUE(WriteOne(*store, "a", "{}").ok());
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  auto refused = WriteOne(*store, "b", "{}");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  sqlite3_close(other);
  auto passed = WriteOne(*store, "b", "{}");
  ASSERT_TRUE(passed.ok());
  EXPECT_EQ((*passed)[0].outcome, WriteOutcome::kLanded);
}

using SqliteStoreDeathTest = SqliteStoreTest;

TEST_F(SqliteStoreDeathTest, AMemberOfTheLandingsOwnAborts) {
  auto store = Open();
  EXPECT_DEATH((void)WriteOne(*store, "a", R"({"_id":"b"})"), "no member of the landing's");
}

TEST_F(SqliteStoreDeathTest, AConnectionThatIsNotOpenAborts) {
  SqliteConnection connection({.path = path_});
  EXPECT_DEATH((void)connection.database(), "is connected before it is used");
}

TEST_F(SqliteStoreTest, WhatHasExpiredGoesInBoundedStepsAndTheRestStays) {
  auto store = Open();
  const Namespace ns{"fleet", "heartbeats"};
  ASSERT_TRUE(store->EnsureIndexes(ns, {{ExpiryIndex()}}).ok());
  const WallTime now = std::chrono::sys_days{std::chrono::year{2025} / 6 / 23};
  std::vector<Document> documents;
  for (int i = 0; i < 5; ++i) documents.push_back(MakeDocument(std::to_string(i), "{}"));
  for (int i = 0; i < 3; ++i) documents[i].provenance.expires_at = now - std::chrono::hours(i);
  documents[3].provenance.expires_at = now + std::chrono::milliseconds(1);  // The fifth never goes.
  ASSERT_TRUE(store->Write(documents).ok());
  EXPECT_EQ(store->Expire(ns, now, 2).value(), 2u);
  EXPECT_EQ(store->Expire(ns, now, 2).value(), 1u);
  EXPECT_EQ(store->Expire(ns, now, 2).value(), 0u);
  EXPECT_EQ(Query("SELECT group_concat(id) FROM \"fleet.heartbeats\""), "3,4");
  // Fails if the index cannot serve it.
  EXPECT_EQ(Query("SELECT count(*) FROM \"fleet.heartbeats\" INDEXED BY "
                  "\"fleet.heartbeats.expiry\" WHERE json_extract(body, "
                  "'$.tidegate.expires_at') <= '9'"),
            "1");
}

}  // namespace
}  // namespace tidegate::reader
