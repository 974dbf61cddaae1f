// How the SQLite landing names things: each collection is a table `database.collection` with the
// columns `id` and `body`, the document as JSON. Private to this folder; pure.
#pragma once

#include <string>
#include <string_view>

#include "reader/database/namespace.h"

namespace tidegate::reader {

// Returns the name or text as an SQL identifier (quote '"') or an SQL string (quote '\'').
std::string SqlQuoted(std::string_view name, char quote);
// The name of the collection's table as the schema has it, unquoted.
std::string TableName(const Namespace& ns);
// The same, quoted for SQL.
std::string QuotedTable(const Namespace& ns);
// The statement that makes the table if it is missing.
std::string CreateTableSql(const Namespace& ns);
// The expression for a member of the body. `member` may be a path: "tidegate.expires_at".
std::string MemberSql(std::string_view member);

}  // namespace tidegate::reader
