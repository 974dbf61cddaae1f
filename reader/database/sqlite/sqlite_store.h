// The landing in one SQLite file: the embedded default for a demo, a workshop server or a test. It
// uses a write-ahead log and synchronous=FULL, so that landed documents survive power loss. The
// format is in ../README.md; any sqlite3 shell reads the file while the reader runs.
#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <string>

#include "reader/database/document_store.h"
#include "reader/database/sqlite/sqlite_connection.h"

namespace tidegate::reader {

class SqliteStore final : public DocumentStore {
 public:
  struct Options {
    // The file is made if it is absent; its folder must exist.
    std::string path;
    // How long a write waits for another worker's transaction before it reports kUnavailable.
    std::chrono::milliseconds busy_timeout{5'000};
  };

  // kInvalid: the file is not a landing. kUnavailable: it cannot be opened now.
  static Result<std::unique_ptr<SqliteStore>> Open(Options options);

  Result<std::vector<WriteResult>> Write(std::span<const Document> documents) override;
  Status EnsureIndexes(const Namespace& ns, std::span<const Index> indexes) override;
  Result<size_t> Expire(const Namespace& ns, WallTime now, size_t limit) override;
  Status Ping() override;

 private:
  explicit SqliteStore(Options options);
  // Inserts all of them in one transaction.
  Result<std::vector<WriteResult>> InsertAll(std::span<const Document> documents);
  // Makes the document's table, unless this store has made it.
  Status EnsureTable(const Namespace& ns);
  Result<WriteResult> Insert(const Document& document);
  Status RunAll(const Namespace& ns, std::span<const Index> indexes);
  Result<size_t> RemoveExpired(const Namespace& ns, WallTime now, size_t limit);

  SqliteConnection connection_;
  // Tables that exist since the last error.
  std::set<Namespace> tables_;
};

}  // namespace tidegate::reader
