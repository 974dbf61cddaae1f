// Projections in the landing's SQLite file: a table for each collection, as documents have. What is
// saved is as durable as what lands.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "reader/database/projection_store.h"
#include "reader/database/sqlite/sqlite_connection.h"

namespace tidegate::reader {

class SqliteProjections final : public ProjectionStore {
 public:
  struct Options {
    std::string path;
    // How long a call waits for another store's transaction before it reports kUnavailable.
    std::chrono::milliseconds busy_timeout{5'000};
  };

  // kInvalid: the file is not a landing. kUnavailable: it cannot be opened now.
  static Result<std::unique_ptr<SqliteProjections>> Open(Options options);

  Result<std::vector<Projection>> Load(std::span<const DocumentKey> keys) override;
  Result<std::vector<SaveOutcome>> Save(std::span<const Projection> projections) override;
  Result<std::vector<std::optional<Landed>>> FindLanded(std::span<const DocumentKey> keys) override;
  Status EachLanded(const Namespace& ns, const TakeLanded& take) override;
  Status Clear(const Namespace& ns) override;
  Result<Offsets> ReadPositions(const std::string& database,
                                std::span<const std::string> partitions) override;
  Status WritePositions(const std::string& database, const Offsets& next, WallTime now) override;

 private:
  explicit SqliteProjections(Options options);
  // Returns the document of each key, in their order; nullopt: there is none. Connects. `operation`
  // is for the error.
  using Bodies = std::vector<std::optional<Object>>;
  Result<Bodies> Read(std::string_view operation, std::span<const DocumentKey> keys);
  Result<std::optional<Object>> ReadOne(const DocumentKey& key);
  Result<std::vector<SaveOutcome>> SaveAll(std::span<const Projection> projections);
  Result<SaveOutcome> SaveOne(const Projection& projection);
  Status Advance(const Namespace& ns, const Offsets& next, WallTime now);

  SqliteConnection connection_;
};

}  // namespace tidegate::reader
