// A query of the API as SQL, so that a test explains the very statement that runs. Private to this
// folder; pure but for Prepare.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/sqlite/database.h"
#include "reader/database/query_store.h"

namespace tidegate::reader {

// SQL text and the values of its parameters, in their order.
class SqlQuery {
 public:
  // Appends text.
  void Add(std::string_view text) { sql_ += text; }
  // Appends text that ends in a parameter, and the parameter's value.
  void Bind(std::string_view text, std::variant<std::string, bool, int64_t> value) {
    sql_ += text;
    values_.push_back(std::move(value));
  }
  // Returns the statement with its values bound. The query must outlive the statement's run, so a
  // temporary is refused.
  Result<sqlite::Statement> Prepare(sqlite::Database& database) const&;
  Result<sqlite::Statement> Prepare(sqlite::Database& database) const&& = delete;
  const std::string& text() const { return sql_; }

 private:
  std::string sql_;
  std::vector<std::variant<std::string, bool, int64_t>> values_;
};

// Returns the columns id, time and body of at most `most` documents that the query finds, newest
// first.
SqlQuery FindSql(const Query& query, int64_t most);
// Returns how many documents the query finds, counted up to `most`.
SqlQuery CountSql(const Query& query, int64_t most);

}  // namespace tidegate::reader
