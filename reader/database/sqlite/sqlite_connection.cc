#include "reader/database/sqlite/sqlite_connection.h"

#include <fmt/format.h>

#include <utility>

#include "reader/database/sqlite/sqlite_table.h"

namespace tidegate::reader {

namespace {
constexpr int kApplicationId = 0x54474c44;  // "TGLD": distinguishes a landing from other databases.
constexpr int kFormat = 1;

// The PRAGMAs and checks of each Access, on a file that has just been opened.
Status Prepare(sqlite::Database& database, SqliteConnection::Access access) {
  switch (access) {
    case SqliteConnection::Access::kLanding:
      return database.Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    case SqliteConnection::Access::kExisting:
      return database.Execute("PRAGMA synchronous=FULL");
    case SqliteConnection::Access::kQueries:
      return database.Execute("PRAGMA query_only=1");
  }
  return {};
}

// True if the file is a landing; false if it is empty and may become one. kInvalid: it is neither.
Result<bool> IsLanding(sqlite::Database& database, const std::string& path) {
  const Error foreign{ErrorCode::kInvalid,
                      fmt::format("open {}: the file is not a tidegate landing", path)};
  const auto is_database = database.IsDatabase();
  if (!is_database.ok()) return is_database.error();
  if (!*is_database) return foreign;
  const auto application = database.Query("PRAGMA application_id");
  if (!application.ok()) return application.error();
  if (*application == kApplicationId) return true;
  const auto tables = database.Query("SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return tables.error();
  if (*tables > 0) return foreign;
  return false;
}
}  // namespace

Status SqliteConnection::Connect() {
  if (database_) return {};
  // Not read-only for queries: a read-only connection cannot take part in the write-ahead log of a
  // file that nobody else has open.
  const auto access = options_.access == Access::kLanding ? sqlite::OpenOptions::Access::kCreate
                                                          : sqlite::OpenOptions::Access::kReadWrite;
  auto opened = sqlite::Database::Open(options_.path, {.access = access});
  if (!opened.ok()) return Error{ErrorCode::kUnavailable, opened.error().message};
  sqlite::Database& database = *opened;
  database.SetBusyTimeout(options_.busy_timeout);
  bool is_new = false;
  if (options_.access == Access::kLanding) {
    const auto is_landing = IsLanding(database, options_.path);
    if (!is_landing.ok()) {
      return is_landing.error().code == ErrorCode::kInvalid ? is_landing.error()
                                                            : Failed("prepare", is_landing.error());
    }
    is_new = !*is_landing;
  }
  Status status = Prepare(database, options_.access);
  if (status.ok() && is_new) {
    status = database.Execute(
        fmt::format("PRAGMA application_id={}; PRAGMA user_version={}", kApplicationId, kFormat));
  }
  if (!status.ok()) return Failed("prepare", status.error());
  database_.emplace(std::move(*opened));
  return {};
}

sqlite::Database& SqliteConnection::database() {
  CHECK(database_.has_value(), "the landing's file is connected before it is used");
  return *database_;
}

Result<sqlite::Statement*> SqliteConnection::Kept(const Namespace& ns, std::string_view sql) {
  auto& of_namespace = statements_[ns];
  if (const auto found = of_namespace.find(sql); found != of_namespace.end()) return &found->second;
  if (Status status = database().Execute(CreateTableSql(ns)); !status.ok()) return status.error();
  auto made = database().Prepare(fmt::format(fmt::runtime(sql), QuotedTable(ns)));
  if (!made.ok()) return made.error();
  return &of_namespace.emplace(sql, std::move(*made)).first->second;
}

Result<sqlite::Statement*> SqliteConnection::KeptRead(const Namespace& ns, std::string_view sql) {
  const auto found = statements_.find(ns);
  if (found == statements_.end() || !found->second.contains(sql)) {
    const auto has = HasTable(ns);
    if (!has.ok()) return has.error();
    if (!*has) return nullptr;
  }
  return Kept(ns, sql);
}

Result<bool> SqliteConnection::HasTable(const Namespace& ns) {
  auto statement =
      database().Prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1");
  if (!statement.ok()) return statement.error();
  const std::string name = TableName(ns);
  return statement->Bind(1, name).Step();
}

Error SqliteConnection::Failed(std::string_view operation, const Error& cause) {
  statements_.clear();
  if (cause.code != ErrorCode::kFull) database_.reset();
  return {ErrorCode::kUnavailable,
          fmt::format("{} {}: {}", operation, options_.path, cause.message)};
}

}  // namespace tidegate::reader
