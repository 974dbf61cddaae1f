// The wrapper of SQLite that the store and the landing share: what each error is, that values come
// back as they went in, that an unfinished transaction leaves nothing.
#include "core/sqlite/database.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "core/sqlite/transaction.h"

namespace tidegate::sqlite {
namespace {

class SqliteTest : public testing::Test {
 protected:
  SqliteTest() { EXPECT_TRUE(database_.Execute("CREATE TABLE t(id INTEGER PRIMARY KEY, v)").ok()); }

  Database database_ = Database::Open(":memory:", {}).value();
};

TEST_F(SqliteTest, ValuesComeBackAsTheyWereBound) {
  Statement insert = database_.Prepare("INSERT INTO t VALUES(?1, ?2)").value();
  const std::string bytes("a\0b", 3);
  ASSERT_TRUE(insert.Bind(1, 1).Bind(2, int64_t{5'000'000'000}).Run().ok());
  ASSERT_TRUE(insert.Bind(1, 2).Bind(2, std::string_view("text")).Run().ok());
  ASSERT_TRUE(insert.Bind(1, 3).BindBlob(2, bytes).Run().ok());
  ASSERT_TRUE(insert.Bind(1, 4).Run().ok());  // Run has forgotten the parameters.
  Statement select = database_.Prepare("SELECT v FROM t ORDER BY id").value();
  ASSERT_TRUE(select.Step().value());
  EXPECT_EQ(select.Type(0), ColumnType::kInteger);
  EXPECT_EQ(select.Int(0), 5'000'000'000);
  ASSERT_TRUE(select.Step().value());
  EXPECT_EQ(select.Type(0), ColumnType::kText);
  EXPECT_EQ(select.Text(0), "text");
  ASSERT_TRUE(select.Step().value());
  EXPECT_EQ(select.Type(0), ColumnType::kBlob);
  EXPECT_EQ(select.Bytes(0), bytes);
  ASSERT_TRUE(select.Step().value());
  EXPECT_EQ(select.Type(0), ColumnType::kNull);
  EXPECT_EQ(select.Text(0), "");
  EXPECT_FALSE(select.Step().value());
}

TEST_F(SqliteTest, ChangesCountTheRowsOfTheLastWrite) {
  Statement insert =
      database_.Prepare("INSERT INTO t VALUES(?1, 0) ON CONFLICT DO NOTHING").value();
  ASSERT_TRUE(insert.Bind(1, 1).Run().ok());
  EXPECT_EQ(insert.Changes(), 1);
  ASSERT_TRUE(insert.Bind(1, 1).Run().ok());
  EXPECT_EQ(insert.Changes(), 0);
}

TEST_F(SqliteTest, ATransactionThatIsNotCommittedLeavesNothing) {
  {
    auto transaction = Transaction::Begin(database_);
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(database_.Execute("INSERT INTO t VALUES(1, 1)").ok());
  }
  EXPECT_EQ(database_.Query("SELECT count(*) FROM t").value(), 0);
  auto transaction = Transaction::Begin(database_);
  ASSERT_TRUE(database_.Execute("INSERT INTO t VALUES(1, 1)").ok());
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_EQ(database_.Query("SELECT count(*) FROM t").value(), 1);
}

TEST_F(SqliteTest, ATransactionInATransactionIsAnError) {
  const auto outer = Transaction::Begin(database_);
  EXPECT_EQ(Transaction::Begin(database_).error().code, ErrorCode::kUnavailable);
}

TEST_F(SqliteTest, AValueThatNeverFitsIsRejectedAndTheNextOnePasses) {
  sqlite3_limit(database_.get(), SQLITE_LIMIT_LENGTH, 1'000);
  Statement insert = database_.Prepare("INSERT INTO t VALUES(1, ?1)").value();
  const Status status = insert.Bind(1, std::string(2'000, 'x')).Run();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kRejected);
  EXPECT_EQ(status.error().message, "string or blob too big (SQLITE_TOOBIG)");
  EXPECT_TRUE(insert.Bind(1, std::string_view("x")).Run().ok());
}

TEST_F(SqliteTest, AValueThatNeverFitsHasTheCodeThatTheConnectionAsksFor) {
  Database database = Database::Open(":memory:", {.too_big = ErrorCode::kUnavailable}).value();
  ASSERT_TRUE(database.Execute("CREATE TABLE t(v); INSERT INTO t VALUES(zeroblob(2000))").ok());
  sqlite3_limit(database.get(), SQLITE_LIMIT_LENGTH, 1'000);
  Statement insert = database.Prepare("INSERT INTO t VALUES(?1)").value();
  EXPECT_EQ(insert.Bind(1, std::string(2'000, 'x')).Run().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(database.Execute("UPDATE t SET v=v").error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(database.Query("SELECT v FROM t").error().code, ErrorCode::kUnavailable);
}

TEST_F(SqliteTest, AFullDatabaseIsFull) {
  ASSERT_TRUE(database_.Execute("PRAGMA max_page_count=3").ok());
  const Status status = database_.Execute("INSERT INTO t VALUES(1, zeroblob(100000))");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kFull);
}

TEST_F(SqliteTest, AnErrorNamesTheSqlWhereThatIsAskedFor) {
  EXPECT_EQ(database_.Execute("SELECT 1 FROM absent").error().message,
            "no such table: absent (SQLITE_ERROR)");
  Database naming = Database::Open(":memory:", {.sql_in_errors = true}).value();
  EXPECT_EQ(naming.Execute("SELECT 1 FROM absent").error().message,
            "SELECT 1 FROM absent: no such table: absent (SQLITE_ERROR)");
  EXPECT_EQ(naming.Prepare("SELECT 1 FROM absent").error().message,
            "SELECT 1 FROM absent: no such table: absent (SQLITE_ERROR)");
  Statement overflow = naming.Prepare("SELECT abs(-9223372036854775807 - 1)").value();
  EXPECT_EQ(overflow.Step().error().message,
            "SELECT abs(-9223372036854775807 - 1): integer overflow (SQLITE_ERROR)");
}

class SqliteFileTest : public testing::Test {
 protected:
  ~SqliteFileTest() override { std::filesystem::remove(path_); }

  const std::string path_ = testing::TempDir() + "tidegate_sqlite_" + std::to_string(getpid());
};

TEST_F(SqliteFileTest, AMissingFileIsUnavailableUnlessItMayBeMade) {
  const auto missing = Database::Open(path_, {});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(missing.error().message,
            "open " + path_ + ": unable to open database file (SQLITE_CANTOPEN)");
  EXPECT_TRUE(Database::Open(path_, {.access = OpenOptions::Access::kCreate}).ok());
}

TEST_F(SqliteFileTest, AFileOfAnotherKindIsNoDatabaseAndCorruptToEveryStatement) {
  std::ofstream(path_) << std::string(8'192, 'x');
  Database database = Database::Open(path_, {}).value();
  EXPECT_FALSE(database.IsDatabase().value());
  EXPECT_EQ(database.Query("SELECT count(*) FROM sqlite_schema").error().code, ErrorCode::kCorrupt);
}

TEST_F(SqliteFileTest, ALockedFileIsUnavailable) {
  Database first = Database::Open(path_, {.access = OpenOptions::Access::kCreate}).value();
  Database second = Database::Open(path_, {}).value();
  EXPECT_TRUE(second.IsDatabase().value());
  const auto transaction = Transaction::Begin(first);
  const auto refused = Transaction::Begin(second);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(refused.error().message, "database is locked (SQLITE_BUSY)");
}

using SqliteDeathTest = SqliteTest;

TEST_F(SqliteDeathTest, MisuseAborts) {
  Statement select = database_.Prepare("SELECT ?1").value();
  EXPECT_DEATH(select.Bind(2, 1), "the statement has the bound parameter");
  EXPECT_DEATH((void)select.Int(0), "the statement is at a row that has the column");
  EXPECT_DEATH((void)Statement().Step(), "a statement is prepared before it is run");
  ASSERT_TRUE(select.Step().value());
  EXPECT_DEATH(select.Bind(1, 1), "is reset");
  EXPECT_DEATH((void)select.Int(1), "the statement is at a row that has the column");
  auto transaction = Transaction::Begin(database_);
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_DEATH((void)transaction->Commit(), "a transaction is committed once");
}

}  // namespace
}  // namespace tidegate::sqlite
