// Owners of SQLite's handles, and its result codes as our errors. Private to store/; one thread.
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
  // Bind a parameter, from 1. The bytes stay the caller's and live until Reset. REQUIRES: the
  // statement has the parameter, and is reset.
  Statement& Bind(int index, std::string_view text);
  Statement& BindBlob(int index, std::string_view bytes);

  // Returns true if there is a row; views of its columns live until the next Step or Reset.
  // REQUIRES: the statement is prepared.
  Result<bool> Step();
  // Steps to the end, ignores rows, and resets.
  Status Run();
  void Reset() { sqlite3_reset(statement_.get()); }

  // Returns how many rows the last run inserted, changed or deleted.
  int Changes() const { return sqlite3_changes(sqlite3_db_handle(statement_.get())); }

  int64_t Int(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::string_view Bytes(int column) const;

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement_;
};

// Resets the statement at the end of the scope, so that no read transaction stays open.
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
  // An empty `vfs` is SQLite's default. kCorrupt: not a database. kUnavailable: it cannot be
  // opened.
  static Result<Database> Open(const std::string& path, int flags, const std::string& vfs);

  Result<Statement> Prepare(std::string_view sql);
  Status PrepareInto(Statement& statement, std::string_view sql);
  // Runs several statements without parameters and results.
  Status Execute(const std::string& sql);
  // Returns the first column of the first row; 0 if there is no row.
  Result<int64_t> Query(std::string_view sql);

  sqlite3* get() const { return db_.get(); }

 private:
  explicit Database(std::unique_ptr<sqlite3, CloseDatabase> db) : db_(std::move(db)) {}

  std::unique_ptr<sqlite3, CloseDatabase> db_;
};

// A write transaction. The destructor rolls back unless Commit succeeded.
class Transaction {
 public:
  static Result<Transaction> Begin(Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  // After an error the transaction is still open. REQUIRES: it is not committed yet.
  Status Commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}

  // Null after the commit.
  Database* database_;
};

// Returns the database's last error as "<operation>: disk I/O error (SQLITE_IOERR_WRITE)".
// SQLITE_FULL is kFull, CORRUPT and NOTADB are kCorrupt, all else is kUnavailable.
Error SqliteError(sqlite3* db, std::string_view operation);

}  // namespace tidegate
