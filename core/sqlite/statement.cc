#include "core/sqlite/statement.h"

#include <sqlite3.h>

#include "core/sqlite/error.h"

namespace tidegate::sqlite {

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement& Statement::CheckBound(int code) {
  CHECK(code != SQLITE_RANGE && code != SQLITE_MISUSE,
        "the statement has the bound parameter and is reset");
  if (code != SQLITE_OK && bind_error_ == SQLITE_OK) bind_error_ = code;
  return *this;
}

Statement& Statement::Bind(int parameter, int64_t value) {
  return CheckBound(sqlite3_bind_int64(statement_.get(), parameter, value));
}

Statement& Statement::Bind(int parameter, std::string_view text) {
  return CheckBound(sqlite3_bind_text64(statement_.get(), parameter, text.data(), text.size(),
                                        SQLITE_STATIC, SQLITE_UTF8));
}

Statement& Statement::BindBlob(int parameter, std::string_view bytes) {
  return CheckBound(
      sqlite3_bind_blob64(statement_.get(), parameter, bytes.data(), bytes.size(), SQLITE_STATIC));
}

std::string_view Statement::Operation() const {
  return sql_in_errors_ ? sqlite3_sql(statement_.get()) : "";
}

Result<bool> Statement::Step() {
  CHECK(statement_ != nullptr, "a statement is prepared before it is run");
  if (bind_error_ != SQLITE_OK) return WithTooBigAs(too_big_, CodeError(bind_error_, Operation()));
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return WithTooBigAs(too_big_, LastError(sqlite3_db_handle(statement_.get()), Operation()));
}

Status Statement::Run() {
  const StatementScope scope(*this);
  for (;;) {
    const auto row = Step();
    if (!row.ok()) return row.error();
    if (!*row) return {};
  }
}

int Statement::Changes() const {
  return sqlite3_changes(sqlite3_db_handle(statement_.get()));
}

void Statement::Reset() {
  // The code repeats the error that Step has reported.
  sqlite3_reset(statement_.get());
  if (statement_ != nullptr) sqlite3_clear_bindings(statement_.get());
  bind_error_ = SQLITE_OK;
}

void Statement::CheckColumn(int column) const {
  CHECK(column >= 0 && column < sqlite3_data_count(statement_.get()),
        "the statement is at a row that has the column");
}

int64_t Statement::Int(int column) const {
  CheckColumn(column);
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::Text(int column) const {
  CheckColumn(column);
  const auto* const text =
      reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {text, static_cast<size_t>(text == nullptr ? 0 : size)};
}

std::string_view Statement::Bytes(int column) const {
  CheckColumn(column);
  const void* const data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const char*>(data), static_cast<size_t>(data == nullptr ? 0 : size)};
}

ColumnType Statement::Type(int column) const {
  CheckColumn(column);
  switch (sqlite3_column_type(statement_.get(), column)) {
    case SQLITE_INTEGER:
      return ColumnType::kInteger;
    case SQLITE_FLOAT:
      return ColumnType::kReal;
    case SQLITE_TEXT:
      return ColumnType::kText;
    case SQLITE_BLOB:
      return ColumnType::kBlob;
    default:
      return ColumnType::kNull;
  }
}

}  // namespace tidegate::sqlite
