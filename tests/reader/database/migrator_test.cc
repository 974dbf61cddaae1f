#include "reader/database/migrator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "reader/database/landing.h"
#include "reader/decode/decoder.h"
#include "tests/support/fake_clock.h"
#include "tests/support/reader/fake_document_store.h"
#include "tests/support/reader/memory_projection_store.h"
#include "tests/support/reader/reader_documents.h"

namespace tidegate::reader {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

int applied = 0;
Status failure;

Status Count(DocumentStore&, const Layout&) {
  ++applied;
  return failure;
}

constexpr std::array kTwo{Migration{1, "first", Count}, Migration{2, "second", Count}};

class MigratorTest : public testing::Test {
 protected:
  MigratorTest() {
    applied = 0;
    failure = {};
  }
  Migrator Make(std::span<const Migration> migrations = kTwo) {
    return Migrator({store_, records_, decoder_.layout(), clock_, log_}, migrations);
  }

  FakeDocumentStore store_;
  MemoryDatabase database_;
  MemoryProjectionStore records_{database_};
  Decoder decoder_{{.retention = {.standard = std::chrono::hours(24)}}, BuiltInTable()};
  FakeClock clock_;
  std::string logged_;
  Log log_{LogLevel::kDebug,
           [this](LogLevel, std::string_view line) { logged_ += std::string(line) + "\n"; }};
};

TEST_F(MigratorTest, WhatIsPendingIsDoneOnceAndRecorded) {
  EXPECT_THAT(MigrationReport(Make().Read().value()), HasSubstr("pending"));
  ASSERT_TRUE(Make().Run().ok());
  EXPECT_EQ(applied, 2);
  EXPECT_THAT(logged_, HasSubstr("migration 2 of the database tidegate: second"));
  ASSERT_TRUE(Make().Run().ok());
  EXPECT_EQ(applied, 2);
  const auto states = Make().Read().value();
  EXPECT_EQ(states[1].applied_at, clock_.Now());
  EXPECT_THAT(MigrationReport(states), HasSubstr("applied 2025-06-23T00:00:00.000Z"));
}

TEST_F(MigratorTest, ReadingChangesNothing) {
  ASSERT_TRUE(Make().Read().ok());
  EXPECT_EQ(applied, 0);
  EXPECT_TRUE(database_.projections.empty());
}

TEST_F(MigratorTest, AMigrationThatFailsIsDoneAgainAndTheNextWaitsForIt) {
  failure = Error{ErrorCode::kUnavailable, "away"};
  EXPECT_FALSE(Make().Run().ok());
  EXPECT_EQ(applied, 1);
  failure = {};
  ASSERT_TRUE(Make().Run().ok());
  EXPECT_EQ(applied, 3);
}

TEST_F(MigratorTest, ADatabaseThatFailsIsAskedOnceAndKeepsNoOtherFromItsIndexes) {
  const Decoder decoder({.tenancy = Tenancy::kDatabase, .tenants = {"acme", "bolt"}},
                        BuiltInTable());
  store_.TakeDown("tidegate_acme");
  size_t asked = 0;
  store_.OnEnsureIndexes([&](const Namespace& ns) { asked += ns.database == "tidegate_acme"; });
  for (const Migration& migration : AllMigrations()) {
    asked = 0;
    EXPECT_FALSE(migration.apply(store_, decoder.layout()).ok());
    EXPECT_EQ(asked, 1u) << migration.name;
  }
  for (const Stream& stream : BuiltInStreams())
    EXPECT_TRUE(store_.indexed().contains({"tidegate_bolt", stream.collection}));
  EXPECT_TRUE(store_.indexed().contains({"tidegate_bolt", "assets"}));
  store_.Restore("tidegate_acme");
  EXPECT_TRUE(AllMigrations()[1].apply(store_, decoder.layout()).ok());
}

TEST_F(MigratorTest, ARecordThatIsLostOnlyRepeatsTheMigration) {
  records_.Intercept([](bool after) {
    return after ? Status() : Status(Error{ErrorCode::kUnavailable, "away"});
  });
  EXPECT_FALSE(Make().Run().ok());
  records_.Intercept({});
  ASSERT_TRUE(Make().Run().ok());
  EXPECT_EQ(database_.projections.size(), 2u);
}

TEST_F(MigratorTest, TwoMigratorsAtOnceDoNoHarm) {
  // The other one records both while this one is about to record its first.
  bool other_ran = false;
  records_.Intercept([&](bool after) {
    if (!after && applied == 1 && !std::exchange(other_ran, true)) return Make().Run();
    return Status();
  });
  ASSERT_TRUE(Make().Run().ok());
  EXPECT_TRUE(other_ran);
  EXPECT_EQ(database_.projections.size(), 2u);
}

TEST_F(MigratorTest, ADatabaseOfALaterVersionIsRefused) {
  ASSERT_TRUE(Make().Run().ok());
  const Status status = Make(std::span(kTwo).first(1)).Run();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(status.error().message, HasSubstr("a later version"));
}

TEST_F(MigratorTest, OursAreNumberedFromOne) {
  int number = 0;
  for (const Migration& migration : AllMigrations()) EXPECT_EQ(migration.number, ++number);
}

// A file as the first version of the reader left it.
constexpr const char* kOldFile = R"(
  PRAGMA application_id=1413958724; PRAGMA user_version=1;
  CREATE TABLE "tidegate.heartbeats"(id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL);
  INSERT INTO "tidegate.heartbeats" VALUES('acme/truck-1/e1',
    '{"_id":"acme/truck-1/e1","tenant_id":"acme","asset_id":"truck-1","timestamp":"2025-06-23T00:37:01.000Z"}');
  CREATE INDEX "tidegate.heartbeats.time" ON "tidegate.heartbeats"(json_extract(body, '$.timestamp') DESC);
  CREATE INDEX "tidegate.heartbeats.mine" ON "tidegate.heartbeats"(json_extract(body, '$.speed'));
  CREATE TABLE "tidegate.assets"(id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL);
  CREATE INDEX "tidegate.assets.tenant_time" ON "tidegate.assets"(json_extract(body, '$.tenant_id'),
    json_extract(body, '$.last_seen') DESC);
)";

class OldFile : public MigratorTest {
 protected:
  OldFile() {
    Execute(kOldFile);
    auto landing = OpenLanding("sqlite:" + path_).value();
    store_of_file_ = landing->NewStore(log_).value();
    records_of_file_ = landing->NewProjections().value();
  }
  Migrator Ours() {
    return Migrator({*store_of_file_, *records_of_file_, decoder_.layout(), clock_, log_});
  }
  // The first column of every row, with commas.
  std::string Execute(const std::string& sql) {
    sqlite3* file = nullptr;
    std::string rows;
    sqlite3_open(path_.c_str(), &file);
    const auto collect = [](void* into, int, char** values, char**) {
      *static_cast<std::string*>(into) += std::string(values[0] ? values[0] : "") + ",";
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(file, sql.c_str(), collect, &rows, nullptr), SQLITE_OK)
        << sqlite3_errmsg(file);
    sqlite3_close(file);
    return rows;
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.File("landing.db");
  std::unique_ptr<DocumentStore> store_of_file_;
  std::unique_ptr<ProjectionStore> records_of_file_;
};

TEST_F(OldFile, IsTakenOverWithItsDocuments) {
  ASSERT_TRUE(Ours().Run().ok());
  EXPECT_TRUE(Ours().Read().value()[0].applied_at);
  EXPECT_THAT(
      Execute("SELECT name FROM sqlite_schema WHERE type = 'index'"),
      AllOf(HasSubstr("tidegate.heartbeats.tenant_id_1_asset_id_1_timestamp_-1__id_-1,"),
            HasSubstr("tidegate.heartbeats.expiry,"),
            HasSubstr("tidegate.alerts.timestamp_-1__id_-1,"),
            HasSubstr("tidegate.assets.tenant_id_1_first_seen_-1__id_-1,"),
            HasSubstr("tidegate.heartbeats.mine,"), Not(HasSubstr("tidegate.heartbeats.time,")),
            Not(HasSubstr("tidegate.assets.tenant_time,"))));
  std::vector<Document> again;
  again.push_back(MakeDocument("acme/truck-1/e1", "{}", {"tidegate", "heartbeats"}));
  EXPECT_EQ(store_of_file_->Write(again).value()[0].outcome, WriteOutcome::kDuplicate);
  EXPECT_EQ(store_of_file_->Expire({"tidegate", "heartbeats"}, clock_.Now(), 10).value(), 0u);
  EXPECT_EQ(Execute("SELECT id FROM \"tidegate.heartbeats\""), "acme/truck-1/e1,");
  ASSERT_TRUE(Ours().Run().ok());
}

}  // namespace
}  // namespace tidegate::reader
