#include "reader/database/sqlite/sqlite_connection.h"

#include <fmt/format.h>

namespace tidegate::reader {

namespace {
constexpr int kApplicationId = 0x54474c44;  // "TGLD": tells a landing from any other database.
constexpr int kFormat = 1;
}  // namespace

Result<SqliteHandle> OpenLandingFile(const std::string& path,
                                     std::chrono::milliseconds busy_timeout) {
  sqlite3* raw = nullptr;
  const int opened =
      sqlite3_open_v2(path.c_str(), &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  SqliteHandle database(raw);
  if (opened != SQLITE_OK) return SqlError("open", path, opened);
  sqlite3_busy_timeout(raw, static_cast<int>(busy_timeout.count()));
  int application = 0;
  int tables = 0;
  int code = ReadSqlNumber(raw, "PRAGMA application_id", application);
  if (code == SQLITE_OK) code = ReadSqlNumber(raw, "SELECT count(*) FROM sqlite_schema", tables);
  if (code == SQLITE_NOTADB || (code == SQLITE_OK && application != kApplicationId && tables > 0)) {
    return Error{ErrorCode::kInvalid,
                 fmt::format("open {}: the file is not a tidegate landing", path)};
  }
  if (code == SQLITE_OK) code = RunSql(raw, "PRAGMA journal_mode=WAL");
  if (code == SQLITE_OK) code = RunSql(raw, "PRAGMA synchronous=FULL");
  if (code == SQLITE_OK && application != kApplicationId) {
    code = RunSql(raw, fmt::format("PRAGMA application_id={}; PRAGMA user_version={}",
                                   kApplicationId, kFormat));
  }
  if (code != SQLITE_OK) return SqlError("prepare", path, code);
  return database;
}

int RunSql(sqlite3* database, const std::string& sql) {
  return sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
}

int ReadSqlNumber(sqlite3* database, const char* sql, int& number) {
  StatementHandle statement;
  if (const int prepared = PrepareSql(database, sql, statement); prepared != SQLITE_OK)
    return prepared;
  const int code = sqlite3_step(statement.get());
  if (code != SQLITE_ROW) return code;
  number = sqlite3_column_int(statement.get(), 0);
  return SQLITE_OK;
}

int PrepareSql(sqlite3* database, const std::string& sql, StatementHandle& statement) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v2(database, sql.c_str(), -1, &raw, nullptr);
  statement.reset(raw);
  return code;
}

int PrepareOnTable(sqlite3* database, const Namespace& ns, const std::string& sql,
                   StatementHandle& statement) {
  if (const int made = RunSql(database, CreateTableSql(ns)); made != SQLITE_OK) return made;
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v3(database, sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  statement.reset(raw);
  return code;
}

int HasTable(sqlite3* database, const Namespace& ns, bool& has) {
  StatementHandle statement;
  const char* const sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
  if (const int code = PrepareSql(database, sql, statement); code != SQLITE_OK) return code;
  const std::string name = TableName(ns);
  BindText(statement.get(), 1, name);
  const int code = sqlite3_step(statement.get());
  has = code == SQLITE_ROW;
  return has || code == SQLITE_DONE ? SQLITE_OK : code;
}

void BindText(sqlite3_stmt* statement, int place, std::string_view text) {
  sqlite3_bind_text64(statement, place, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

std::string ColumnText(sqlite3_stmt* statement, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  return text ? std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement, column)))
              : std::string();
}

Error SqlError(std::string_view operation, const std::string& path, int code) {
  return {ErrorCode::kUnavailable,
          fmt::format("{} {}: {} ({})", operation, path, sqlite3_errstr(code), code)};
}

std::string SqlQuoted(std::string_view name, char quote) {
  std::string out(1, quote);
  for (char c : name) {
    if (c == quote) out.push_back(quote);
    out.push_back(c);
  }
  out.push_back(quote);
  return out;
}

std::string TableName(const Namespace& ns) {
  return ns.database + "." + ns.collection;
}

std::string TableOf(const Namespace& ns) {
  return SqlQuoted(TableName(ns), '"');
}

std::string CreateTableSql(const Namespace& ns) {
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS {}(id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL)",
      TableOf(ns));
}

}  // namespace tidegate::reader
