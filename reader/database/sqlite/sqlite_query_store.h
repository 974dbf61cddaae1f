// Queries on the landing in one SQLite file, while workers write to it. Never makes the file: until
// a worker has, calls report kUnavailable. Opens it at the first call, and again after an error.
#pragma once

#include <memory>
#include <string>

#include "reader/database/query_store.h"
#include "reader/database/sqlite/sqlite_connection.h"

namespace tidegate::reader {

class SqliteQueryStore final : public QueryStore {
 public:
  // The clock must outlive the store.
  SqliteQueryStore(std::string path, const Clock& clock);
  SqliteQueryStore(const SqliteQueryStore&) = delete;
  SqliteQueryStore& operator=(const SqliteQueryStore&) = delete;

  Result<Page> Find(const Query& query, const PageLimit& limit,
                    std::chrono::milliseconds within) override;
  Result<uint64_t> Count(const Query& query, uint64_t most,
                         std::chrono::milliseconds within) override;
  Status Ping(std::chrono::milliseconds within) override;

 private:
  // Opens the file if it is not open, and sets the deadline of the call.
  Status Begin(std::chrono::milliseconds within);
  Result<Page> Select(const Query& query, const PageLimit& limit);
  Result<uint64_t> SelectCount(const Query& query, uint64_t most);
  Error Failed(std::string_view operation, const Error& cause);
  // SQLite calls it with the store between the steps of a statement; 1 interrupts the statement.
  static int OnProgress(void* self);

  const std::string path_;
  const Clock& clock_;
  BootTime deadline_{};
  bool is_late_ = false;  // OnProgress has interrupted this call.
  SqliteConnection connection_;
};

}  // namespace tidegate::reader
