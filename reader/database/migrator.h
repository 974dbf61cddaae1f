// Migrates a database that an earlier version has written, in numbered steps. Each step may be done
// twice and is recorded in the database when it is done. No step changes documents. Thread: one;
// several migrators may work on one database at the same time.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "reader/database/document_store.h"
#include "reader/database/layout.h"
#include "reader/database/projection_store.h"

namespace tidegate::reader {

// The collection of the main database that records the migrations that are done, one document each;
// its `_id` is the migration's number.
inline constexpr const char* kMigrations = "tidegate_migrations";

struct Migration {
  // Numbers count from 1 without a gap and are never reused.
  int number;
  // For people.
  std::string_view name;
  // May be called again, and while another process does the same.
  Status (*apply)(DocumentStore& store, const Layout& layout);
};
std::span<const Migration> AllMigrations();

class Migrator {
 public:
  // The parts must outlive the migrator.
  struct Parts {
    DocumentStore& store;
    // Holds the collection kMigrations.
    ProjectionStore& records;
    Layout layout;
    const Clock& clock;
    const Log& log;
  };
  struct State {
    const Migration* migration;
    // nullopt: the migration is pending.
    std::optional<WallTime> applied_at;
  };

  explicit Migrator(Parts parts, std::span<const Migration> migrations = AllMigrations())
      : parts_(std::move(parts)), migrations_(migrations) {}

  // Returns the state of every migration, in order. kInvalid: a later version has migrated the
  // database, and this one could write what that one no longer expects. kUnavailable: try again.
  Result<std::vector<State>> Read();
  // Applies the pending migrations in order and logs each. Errors as for Read.
  Status Run();

 private:
  Status Record(const Migration& migration);

  Parts parts_;
  const std::span<const Migration> migrations_;
};

// Returns a line for each migration: its number, its name, and when it was applied.
std::string MigrationReport(std::span<const Migrator::State> states);

}  // namespace tidegate::reader
