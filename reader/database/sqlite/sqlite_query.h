// A query as SQLite is asked, so that a test sees the very same. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "reader/database/query_store.h"
#include "reader/database/sqlite/sqlite_connection.h"

namespace tidegate::reader {

// A statement's text and what is bound to its parameters, in their order.
class SqlStatement {
 public:
  void Add(std::string_view text) { sql_ += text; }
  void Bind(std::string_view text, std::variant<std::string, bool, int64_t> value) {
    sql_ += text;
    values_.push_back(std::move(value));
  }
  // SQLite's code.
  int Prepare(sqlite3* database, StatementHandle& statement) const;
  const std::string& text() const { return sql_; }

 private:
  std::string sql_;
  std::vector<std::variant<std::string, bool, int64_t>> values_;
};

// The columns id, time and body of what the query finds, newest first.
SqlStatement FindStatement(const Query& query, int64_t most);
// How many that are.
SqlStatement CountStatement(const Query& query, int64_t most);

}  // namespace tidegate::reader
