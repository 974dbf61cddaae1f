// Projections in the landing's SQLite file, a table a collection as documents have. What is saved
// is as durable as what lands.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "reader/database/projection_store.h"

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
  ~SqliteProjections() override;

  Result<std::vector<Projection>> Load(std::span<const DocumentKey> keys) override;
  Result<std::vector<SaveOutcome>> Save(std::span<const Projection> projections) override;
  Result<std::vector<std::optional<Landed>>> FindLanded(std::span<const DocumentKey> keys) override;
  Status EachLanded(const Namespace& ns, const TakeLanded& take) override;
  Status Clear(const Namespace& ns) override;
  Result<Offsets> ReadPositions(const std::string& database,
                                std::span<const std::string> partitions) override;
  Status WritePositions(const std::string& database, const Offsets& next, WallTime now) override;

 private:
  struct Connection;

  explicit SqliteProjections(Options options);
  Status Connect();
  Error Failed(std::string_view operation, int code);
  // The bodies of these documents, in their order; SQLite's code.
  int Read(std::span<const DocumentKey> keys, std::vector<std::optional<std::string>>& bodies);
  int SaveAll(std::span<const Projection> projections, std::vector<SaveOutcome>& outcomes);
  int Advance(const Namespace& ns, const Offsets& next, WallTime now);

  const Options options_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace tidegate::reader
