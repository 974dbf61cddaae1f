// Brings a database that an earlier version has written to what this one expects: in numbered
// steps, each of which may be done twice and is recorded in the database once it is done. Documents
// keep what they hold. One thread; several migrators may work on one database at the same time.
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

// The collection of the main database with one document a migration, `_id` its number.
inline constexpr const char* kMigrations = "tidegate_migrations";

struct Migration {
  int number;             // They count from 1 without a gap, and are never taken back.
  std::string_view name;  // For people.
  // Harmless if it was done before, or is being done by somebody else.
  Status (*apply)(DocumentStore& store, const Layout& layout);
};
std::span<const Migration> AllMigrations();

class Migrator {
 public:
  struct Parts {
    DocumentStore& store;
    ProjectionStore& records;
    Layout layout;
    const Clock& clock;
    const Log& log;
  };
  struct State {
    const Migration* migration;
    std::optional<WallTime> applied_at;  // nullopt: it is pending.
  };

  explicit Migrator(Parts parts, std::span<const Migration> migrations = AllMigrations())
      : parts_(std::move(parts)), migrations_(migrations) {}

  // All of them, in order. kInvalid: a later version has migrated the database, and this one might
  // write what that one no longer expects. kUnavailable: try again.
  Result<std::vector<State>> Read();
  // Does what is pending, in order, and says so in the log. Errors as for Read.
  Status Run();

 private:
  Status Record(const Migration& migration);

  Parts parts_;
  const std::span<const Migration> migrations_;
};

// A line for each: its number, its name, and when it was applied.
std::string MigrationReport(std::span<const Migrator::State> states);

}  // namespace tidegate::reader
