// Owners of SQLite's handles, and its codes as ours. Private to store/. One thread.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace tidegate {

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

class Database;

// A prepared statement. Calls chain: statement.Bind(1, key).Run().
class Statement {
 public:
  Statement() = default;

  Statement& Bind(int index, int64_t value);
  // The bytes stay the caller's and must live until Reset.
  Statement& Bind(int index, std::string_view text);
  Statement& BindBlob(int index, std::string_view bytes);

  // True: a row is there. Views of its columns live until the next Step or Reset.
  Result<bool> Step();
  // Steps to the end, without looking at rows, and resets.
  Status Run();
  void Reset() { sqlite3_reset(statement_.get()); }

  // Rows that the last run inserted, changed or deleted.
  int Changes() const { return sqlite3_changes(sqlite3_db_handle(statement_.get())); }

  int64_t Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::string_view Bytes(int column) const;

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement_;
};

// Resets at the end of the scope, so that no read transaction stays open behind a result.
class StatementScope {
 public:
  explicit StatementScope(Statement& statement) : statement_(statement) {}
  ~StatementScope() { statement_.Reset(); }
  StatementScope(const StatementScope&) = delete;
  StatementScope& operator=(const StatementScope&) = delete;

 private:
  Statement& statement_;
};

class Database {
 public:
  // `vfs` empty: SQLite's default. kCorrupt: not a database. kUnavailable: cannot be opened.
  static Result<Database> Open(const std::string& path, int flags, const std::string& vfs);

  Result<Statement> Prepare(std::string_view sql);
  Status PrepareInto(Statement& statement, std::string_view sql);
  // Several statements, no results.
  Status Execute(const std::string& sql);
  // The first column of the first row; 0 if there is none.
  Result<int64_t> Query(std::string_view sql);

  sqlite3* get() const { return db_.get(); }

 private:
  explicit Database(std::unique_ptr<sqlite3, CloseDatabase> db) : db_(std::move(db)) {}

  std::unique_ptr<sqlite3, CloseDatabase> db_;
};

// Rolls back when it goes without Commit.
class Transaction {
 public:
  static Result<Transaction> Begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  Status Commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}

  Database* database_;  // Null when it is over.
};

// "<operation>: disk I/O error (SQLITE_IOERR_WRITE)". FULL is kFull, CORRUPT and NOTADB are
// kCorrupt, all else kUnavailable.
Error SqliteError(sqlite3* db, std::string_view operation);

}  // namespace tidegate
