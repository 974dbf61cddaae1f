// Queries on the landing in one SQLite file, while workers write to it. Never makes the file.
#pragma once

#include <memory>
#include <string>

#include "reader/database/query_store.h"

namespace tidegate::reader {

class SqliteQueryStore final : public QueryStore {
 public:
  // Opens the file at the first call, and again after an error.
  SqliteQueryStore(std::string path, const Clock& clock);
  ~SqliteQueryStore() override;

  Result<Page> Find(const Query& query, const PageLimit& limit,
                    std::chrono::milliseconds within) override;
  Result<uint64_t> Count(const Query& query, uint64_t most,
                         std::chrono::milliseconds within) override;
  Status Ping(std::chrono::milliseconds within) override;

 private:
  struct Connection;

  Status Connect(std::chrono::milliseconds within);
  Status Failed(std::string_view operation, int code);

  const std::string path_;
  const Clock& clock_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace tidegate::reader
