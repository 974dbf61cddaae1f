// SQLite's handles in owning pointers. Private to this folder.
#pragma once

#include <sqlite3.h>

#include <memory>

namespace tidegate::reader {

struct QueryDatabaseCloser {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
using QueryDatabaseHandle = std::unique_ptr<sqlite3, QueryDatabaseCloser>;

struct QueryStatementFinalizer {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using QueryStatementHandle = std::unique_ptr<sqlite3_stmt, QueryStatementFinalizer>;

}  // namespace tidegate::reader
