// The landing's one SQLite file: how it is opened, what its tables are called, and SQL that all
// stores on it need. For the landing and the queries.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/result.h"
#include "reader/database/namespace.h"
#include "reader/database/sqlite/sqlite_handle.h"

namespace tidegate::reader {

// Makes the file if it is absent. kInvalid: it is something else than a landing. kUnavailable: it
// cannot be opened now.
Result<SqliteHandle> OpenLandingFile(const std::string& path,
                                     std::chrono::milliseconds busy_timeout);

// SQLite's codes.
int RunSql(sqlite3* database, const std::string& sql);
int ReadSqlNumber(sqlite3* database, const char* sql, int& number);
int PrepareSql(sqlite3* database, const std::string& sql, StatementHandle& statement);
// To be kept and run often, on a table that is made where it is not there.
int PrepareOnTable(sqlite3* database, const Namespace& ns, const std::string& sql,
                   StatementHandle& statement);

int HasTable(sqlite3* database, const Namespace& ns, bool& has);

// The text must outlive the statement's run.
void BindText(sqlite3_stmt* statement, int place, std::string_view text);
// Empty for a null.
std::string ColumnText(sqlite3_stmt* statement, int column);

// kUnavailable, with the code's name.
Error SqlError(std::string_view operation, const std::string& path, int code);

std::string SqlQuoted(std::string_view name, char quote);
// The name of the collection's table, as it is in the schema and before quoting.
std::string TableName(const Namespace& ns);
// The quoted name of the collection's table, which holds `id` and `body`, the document as JSON.
std::string TableOf(const Namespace& ns);
std::string CreateTableSql(const Namespace& ns);

// Rolls back what was not committed.
class SqliteTransaction {
 public:
  explicit SqliteTransaction(sqlite3* database) : database_(database) {}
  ~SqliteTransaction() {
    if (database_) sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  SqliteTransaction(const SqliteTransaction&) = delete;
  SqliteTransaction& operator=(const SqliteTransaction&) = delete;

  int Commit() {
    const int code = sqlite3_exec(database_, "COMMIT", nullptr, nullptr, nullptr);
    if (code == SQLITE_OK) database_ = nullptr;
    return code;
  }

 private:
  sqlite3* database_;
};

}  // namespace tidegate::reader
