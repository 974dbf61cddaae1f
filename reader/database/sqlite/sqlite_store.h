// The landing in one SQLite file: the embedded default for a demo, a workshop server or a test.
// WAL, synchronous=FULL, so that what is landed survives power loss. The format is in README.md;
// any sqlite3 shell reads it while the reader runs.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "reader/database/document_store.h"

namespace tidegate::reader {

class SqliteStore final : public DocumentStore {
 public:
  struct Options {
    std::string path;  // Made if absent; its folder must exist.
    // How long a write waits for another worker's transaction before it reports kUnavailable.
    std::chrono::milliseconds busy_timeout{5'000};
  };

  // kInvalid: the file is not a landing. kUnavailable: it cannot be opened now.
  static Result<std::unique_ptr<SqliteStore>> Open(Options options);
  ~SqliteStore() override;

  Result<std::vector<WriteResult>> Write(std::span<const Document> documents) override;
  Status EnsureIndexes(const Namespace& ns, std::span<const Index> indexes) override;
  Result<size_t> Expire(const Namespace& ns, WallTime now, size_t limit) override;
  Status Ping() override;

 private:
  struct Connection;

  explicit SqliteStore(Options options);
  Status Connect();
  // One transaction; SQLite's code.
  int Insert(std::span<const Document> documents, std::vector<WriteResult>& results);
  // Closes a connection that an error has made doubtful; the next call opens a new one.
  Status Failed(std::string_view operation, int code);

  const Options options_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace tidegate::reader
