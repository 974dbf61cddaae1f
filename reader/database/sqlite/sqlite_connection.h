// One store's connection to the landing's SQLite file: opened at the first use, opened again after
// an error, with the statements that are kept between calls. Every store in this folder has one.
// Thread: the store's. Private to this folder.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/sqlite/database.h"
#include "reader/database/namespace.h"

namespace tidegate::reader {

class SqliteConnection {
 public:
  enum class Access {
    kLanding,   // Makes the file if it is absent, and refuses one that is not a landing.
    kExisting,  // Writes to the file that a kLanding connection has made and checked.
    kQueries,   // Only reads that file.
  };
  struct Options {
    std::string path;
    Access access = Access::kLanding;
    // How long a call waits for another connection's transaction before it reports kUnavailable.
    std::chrono::milliseconds busy_timeout{5'000};
  };

  explicit SqliteConnection(Options options) : options_(std::move(options)) {}

  // Opens the file if it is not open. kInvalid: it is not a landing. kUnavailable: it cannot be
  // opened now.
  Status Connect();
  bool is_open() const { return database_.has_value(); }
  // REQUIRES: is_open().
  sqlite::Database& database();

  // Returns the statement, which is prepared once and belongs to the connection until Failed().
  // `sql` is a string literal with "{}" for the table. Makes the table if it is missing.
  // REQUIRES: is_open().
  Result<sqlite::Statement*> Kept(const Namespace& ns, std::string_view sql);
  // As Kept, but makes no table: returns nullptr if the collection has none.
  Result<sqlite::Statement*> KeptRead(const Namespace& ns, std::string_view sql);
  Result<bool> HasTable(const Namespace& ns);

  // Returns what the store reports about a failed call: kUnavailable, "<operation> <path>:
  // <cause>". Discards the statements, since a rolled-back transaction may have dropped their
  // tables, and closes the file: the next Connect opens it again. A full disk says nothing about
  // the connection and leaves it open.
  Error Failed(std::string_view operation, const Error& cause);

 private:
  Status CheckLanding();

  const Options options_;
  std::optional<sqlite::Database> database_;
  // By namespace and SQL. Destroyed before the database.
  std::map<Namespace, std::map<std::string_view, sqlite::Statement>> statements_;
};

}  // namespace tidegate::reader
