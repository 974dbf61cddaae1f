// A connection to one SQLite file. Belongs to one thread; several connections may share the file.
// Every call that can fail reports an Error by error.h; no raw SQLite code leaves this folder.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/sqlite/statement.h"

struct sqlite3;

namespace tidegate::sqlite {

struct OpenOptions {
  enum class Access { kReadOnly, kReadWrite, kCreate };

  Access access = Access::kReadWrite;
  // Reads the path as an SQLite URI ("file:...?mode=ro").
  bool is_uri = false;
  // The name of a registered VFS; empty: SQLite's default.
  std::string vfs = {};
  // Messages begin with the SQL that failed. Without it the caller names the operation itself.
  bool sql_in_errors = false;
  // The code of a value over SQLite's limit of length. Where the caller bounds what it writes, only
  // a damaged file causes that error, and kRejected would blame the caller's value.
  ErrorCode too_big = ErrorCode::kRejected;
};

class Database {
 public:
  // kCorrupt: the file is no database. kUnavailable: it cannot be opened now.
  static Result<Database> Open(const std::string& path, const OpenOptions& options);

  // Compiles one statement that is kept and run often; all of its errors are a bug in the SQL or
  // the file's.
  Result<Statement> Prepare(std::string_view sql);
  Status PrepareInto(Statement& statement, std::string_view sql);
  // Runs several statements and discards their rows.
  Status Execute(const std::string& sql);
  // Returns the first column of the first row; 0 if there is no row.
  Result<int64_t> Query(std::string_view sql);
  // Reads the file's header. False: another program's file (SQLITE_NOTADB).
  Result<bool> IsDatabase();

  // A call waits at most that long for another connection's lock, then reports kUnavailable. The
  // default is not to wait.
  void SetBusyTimeout(std::chrono::milliseconds timeout);

  // For the hooks and settings that this class does not wrap. The connection stays the owner.
  sqlite3* get() const { return db_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  using Handle = std::unique_ptr<sqlite3, Close>;

  Database(Handle db, const OpenOptions& options)
      : db_(std::move(db)), sql_in_errors_(options.sql_in_errors), too_big_(options.too_big) {}
  Error Failed(std::string_view sql) const;

  Handle db_;
  bool sql_in_errors_;
  ErrorCode too_big_;
};

}  // namespace tidegate::sqlite
