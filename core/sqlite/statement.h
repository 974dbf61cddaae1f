// A prepared SQL statement: typed parameters, rows and columns. Belongs to its Database's thread
// and is destroyed before the Database.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "core/result.h"

struct sqlite3_stmt;

namespace tidegate::sqlite {

enum class ColumnType { kInteger, kReal, kText, kBlob, kNull };

class Statement {
 public:
  // An empty statement, to be filled by Database::PrepareInto.
  Statement() = default;

  // Bind a parameter, counted from 1. Calls chain: statement.Bind(1, key).Run(). A value that
  // SQLite refuses (too long, no memory) is reported by the next Step. A view without data binds
  // NULL. The bytes stay the caller's and must live until Reset.
  // REQUIRES: the statement has the parameter and is reset.
  Statement& Bind(int parameter, int64_t value);
  Statement& Bind(int parameter, std::string_view text);
  Statement& BindBlob(int parameter, std::string_view bytes);

  // Returns true if there is a row. Views of its columns live until the next Step or Reset.
  Result<bool> Step();
  // Steps to the end without looking at rows, then resets.
  Status Run();
  // Ends the statement's read transaction and forgets its parameters.
  void Reset();

  // Returns how many rows the connection's last statement that writes inserted, changed or deleted.
  int Changes() const;

  // Columns of the current row, counted from 0, converted as SQLite does it. A null is 0 or empty.
  // REQUIRES: the last Step returned true, and the row has the column.
  int64_t Int(int column) const;
  std::string_view Text(int column) const;   // In UTF-8.
  std::string_view Bytes(int column) const;  // As stored.
  ColumnType Type(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  Statement(sqlite3_stmt* statement, bool sql_in_errors, ErrorCode too_big)
      : statement_(statement), sql_in_errors_(sql_in_errors), too_big_(too_big) {}
  Statement& CheckBound(int code);
  void CheckColumn(int column) const;
  std::string_view Operation() const;

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  bool sql_in_errors_ = false;
  ErrorCode too_big_ = ErrorCode::kRejected;
  int bind_error_ = 0;  // The first refused value since the last Reset; 0: none.
};

// Resets the statement at the end of the scope, so that no read transaction outlives it.
class StatementScope {
 public:
  explicit StatementScope(Statement& statement) : statement_(statement) {}
  ~StatementScope() { statement_.Reset(); }
  StatementScope(const StatementScope&) = delete;
  StatementScope& operator=(const StatementScope&) = delete;

 private:
  Statement& statement_;
};

}  // namespace tidegate::sqlite
