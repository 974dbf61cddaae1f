#include "store/file/sqlite_handle.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "core/check.h"

namespace tidegate {
namespace {

// The names that matter in a log; the rest show as numbers.
std::string_view CodeName(int code) {
  switch (code) {
    case SQLITE_BUSY:
      return "SQLITE_BUSY";
    case SQLITE_LOCKED:
      return "SQLITE_LOCKED";
    case SQLITE_NOMEM:
      return "SQLITE_NOMEM";
    case SQLITE_READONLY:
      return "SQLITE_READONLY";
    case SQLITE_CORRUPT:
      return "SQLITE_CORRUPT";
    case SQLITE_FULL:
      return "SQLITE_FULL";
    case SQLITE_CANTOPEN:
      return "SQLITE_CANTOPEN";
    case SQLITE_NOTADB:
      return "SQLITE_NOTADB";
    case SQLITE_IOERR:
      return "SQLITE_IOERR";
    case SQLITE_IOERR_READ:
      return "SQLITE_IOERR_READ";
    case SQLITE_IOERR_SHORT_READ:
      return "SQLITE_IOERR_SHORT_READ";
    case SQLITE_IOERR_WRITE:
      return "SQLITE_IOERR_WRITE";
    case SQLITE_IOERR_FSYNC:
      return "SQLITE_IOERR_FSYNC";
    case SQLITE_IOERR_TRUNCATE:
      return "SQLITE_IOERR_TRUNCATE";
    case SQLITE_IOERR_SHMMAP:
      return "SQLITE_IOERR_SHMMAP";
    default:
      return "";
  }
}

ErrorCode CodeOf(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return ErrorCode::kFull;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    default:
      return ErrorCode::kUnavailable;
  }
}

void CheckBound(int code) {
  CHECK(code != SQLITE_RANGE, "the statement has the parameter");
  CHECK(code != SQLITE_MISUSE, "a statement is reset before its parameters are bound");
}

}  // namespace

Error SqliteError(sqlite3* db, std::string_view operation) {
  const int code = sqlite3_extended_errcode(db);
  const std::string_view name = CodeName(code);
  return {CodeOf(code),
          fmt::format("{}: {} ({})", operation, sqlite3_errmsg(db),
                      name.empty() ? fmt::format("code {}", code) : std::string(name))};
}

Statement& Statement::Bind(int index, int64_t value) {
  CheckBound(sqlite3_bind_int64(statement_.get(), index, value));
  return *this;
}

Statement& Statement::Bind(int index, std::string_view text) {
  CheckBound(sqlite3_bind_text64(statement_.get(), index, text.data(), text.size(), SQLITE_STATIC,
                                 SQLITE_UTF8));
  return *this;
}

Statement& Statement::BindBlob(int index, std::string_view bytes) {
  CheckBound(
      sqlite3_bind_blob64(statement_.get(), index, bytes.data(), bytes.size(), SQLITE_STATIC));
  return *this;
}

Result<bool> Statement::Step() {
  CHECK(statement_ != nullptr, "the statement is prepared");
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteError(sqlite3_db_handle(statement_.get()), sqlite3_sql(statement_.get()));
}

Status Statement::Run() {
  const StatementScope scope(*this);
  for (;;) {
    const auto row = Step();
    if (!row.ok()) return row.error();
    if (!*row) return {};
  }
}

std::string_view Statement::Bytes(int column) const {
  const void* const data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const char*>(data), static_cast<size_t>(data == nullptr ? 0 : size)};
}

Result<Database> Database::Open(const std::string& path, int flags, const std::string& vfs) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX,
                                   vfs.empty() ? nullptr : vfs.c_str());
  std::unique_ptr<sqlite3, CloseDatabase> db(raw);  // SQLite hands one out even when it fails.
  if (db == nullptr)
    return Error{ErrorCode::kUnavailable, fmt::format("open {}: out of memory", path)};
  if (code != SQLITE_OK) return SqliteError(db.get(), fmt::format("open {}", path));
  sqlite3_extended_result_codes(db.get(), 1);
  return Database(std::move(db));
}

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  Statement owned(statement);
  if (code != SQLITE_OK) return SqliteError(db_.get(), sql);
  return owned;
}

Status Database::PrepareInto(Statement& statement, std::string_view sql) {
  auto prepared = Prepare(sql);
  if (!prepared.ok()) return prepared.error();
  statement = std::move(*prepared);
  return {};
}

Status Database::Execute(const std::string& sql) {
  if (sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return SqliteError(db_.get(), sql);
  }
  return {};
}

Result<int64_t> Database::Query(std::string_view sql) {
  auto statement = Prepare(sql);
  if (!statement.ok()) return statement.error();
  const auto row = statement->Step();
  if (!row.ok()) return row.error();
  return *row ? statement->Int(0) : 0;
}

Result<Transaction> Transaction::Begin(Database& database) {
  if (auto status = database.Execute("BEGIN IMMEDIATE"); !status.ok()) return status.error();
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

Transaction::~Transaction() {
  // SQLite may have rolled back by itself after an error; a second time is then no error worth
  // telling.
  if (database_ != nullptr) (void)database_->Execute("ROLLBACK");
}

Status Transaction::Commit() {
  CHECK(database_ != nullptr, "a transaction commits once");
  if (auto status = database_->Execute("COMMIT"); !status.ok()) return status;
  database_ = nullptr;
  return {};
}

}  // namespace tidegate
