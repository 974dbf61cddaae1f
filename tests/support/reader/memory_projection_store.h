// Projections in memory, with scripted faults. Several stores may share one MemoryDatabase, as
// several readers share a database. One thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "reader/database/document_store.h"
#include "reader/database/projection_store.h"

namespace tidegate::reader {

struct MemoryDatabase {
  std::map<DocumentKey, Projection> projections;
  std::map<DocumentKey, Landed> landed;
  // The landed documents as JSON.
  std::map<DocumentKey, std::string> bodies;
  // The positions of one database.
  Offsets positions;
  // Saves of projections with these ids are refused.
  std::set<std::string> refused;
};

class MemoryProjectionStore : public ProjectionStore {
 public:
  explicit MemoryProjectionStore(MemoryDatabase& database) : database_(database) {}

  // Every call calls the hook before it does anything and, with `after` true, when it has done it.
  // The caller receives the hook's error.
  void Intercept(std::function<Status(bool after)> hook) { hook_ = std::move(hook); }

  // Every call that names databases calls the hook with each of them first, and returns its error.
  void InterceptDatabase(std::function<Status(const std::string&)> hook) {
    database_hook_ = std::move(hook);
  }

  Result<std::vector<Projection>> Load(std::span<const DocumentKey> keys) override;
  Result<std::vector<SaveOutcome>> Save(std::span<const Projection> projections) override;
  Result<std::vector<std::optional<Landed>>> FindLanded(std::span<const DocumentKey> keys) override;
  Status EachLanded(const Namespace& ns, const TakeLanded& take) override;
  Status Clear(const Namespace& ns) override;
  Result<Offsets> ReadPositions(const std::string& database,
                                std::span<const std::string> partitions) override;
  Status WritePositions(const std::string& database, const Offsets& next, WallTime now) override;

 private:
  Status Hook(bool after) { return hook_ ? hook_(after) : Status(); }
  template <typename Items, typename DatabaseOf>
  Status HookDatabases(const Items& items, DatabaseOf of) {
    for (const auto& item : items) {
      if (!database_hook_) break;
      if (Status status = database_hook_(of(item)); !status.ok()) return status;
    }
    return {};
  }

  MemoryDatabase& database_;
  std::function<Status(bool)> hook_;
  std::function<Status(const std::string&)> database_hook_;
};

}  // namespace tidegate::reader
