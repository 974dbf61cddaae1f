#include "core/sqlite/database.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <utility>

#include "core/sqlite/error.h"

namespace tidegate::sqlite {

namespace {
int OpenFlags(const OpenOptions& options) {
  // The connection belongs to one thread, so SQLite needs no mutex.
  int flags = SQLITE_OPEN_NOMUTEX;
  if (options.is_uri) flags |= SQLITE_OPEN_URI;
  switch (options.access) {
    case OpenOptions::Access::kReadOnly:
      return flags | SQLITE_OPEN_READONLY;
    case OpenOptions::Access::kReadWrite:
      return flags | SQLITE_OPEN_READWRITE;
    case OpenOptions::Access::kCreate:
      return flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  }
  return flags;
}
}  // namespace

void Database::Close::operator()(sqlite3* db) const {
  sqlite3_close_v2(db);
}

Result<Database> Database::Open(const std::string& path, const OpenOptions& options) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, OpenFlags(options),
                                   options.vfs.empty() ? nullptr : options.vfs.c_str());
  Handle db(raw);  // SQLite returns a connection even if it could not open the file.
  const std::string operation = fmt::format("open {}", path);
  if (db == nullptr) return CodeError(code, operation);
  if (code != SQLITE_OK) return LastError(db.get(), operation);
  sqlite3_extended_result_codes(db.get(), 1);
  return Database(std::move(db), options);
}

Error Database::Failed(std::string_view sql) const {
  return WithTooBigAs(too_big_, LastError(db_.get(), sql_in_errors_ ? sql : std::string_view()));
}

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  Statement owned(statement, sql_in_errors_, too_big_);
  if (code != SQLITE_OK) return Failed(sql);
  return owned;
}

Status Database::PrepareInto(Statement& statement, std::string_view sql) {
  auto prepared = Prepare(sql);
  if (!prepared.ok()) return prepared.error();
  statement = std::move(*prepared);
  return {};
}

Status Database::Execute(const std::string& sql) {
  if (sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return Failed(sql);
  return {};
}

Result<int64_t> Database::Query(std::string_view sql) {
  auto statement = Prepare(sql);
  if (!statement.ok()) return statement.error();
  const auto row = statement->Step();
  if (!row.ok()) return row.error();
  return *row ? statement->Int(0) : 0;
}

Result<bool> Database::IsDatabase() {
  const std::string sql = "PRAGMA schema_version";
  const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return true;
  if ((code & 0xff) == SQLITE_NOTADB) return false;
  return Failed(sql);
}

void Database::SetBusyTimeout(std::chrono::milliseconds timeout) {
  sqlite3_busy_timeout(db_.get(), static_cast<int>(timeout.count()));
}

}  // namespace tidegate::sqlite
