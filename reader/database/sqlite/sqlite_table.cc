#include "reader/database/sqlite/sqlite_table.h"

#include <fmt/format.h>

namespace tidegate::reader {

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

std::string QuotedTable(const Namespace& ns) {
  return SqlQuoted(TableName(ns), '"');
}

std::string CreateTableSql(const Namespace& ns) {
  return fmt::format(
      "CREATE TABLE IF NOT EXISTS {}(id TEXT NOT NULL PRIMARY KEY, body TEXT NOT NULL)",
      QuotedTable(ns));
}

std::string MemberSql(std::string_view member) {
  return fmt::format("json_extract(body, {})", SqlQuoted(fmt::format("$.{}", member), '\''));
}

}  // namespace tidegate::reader
