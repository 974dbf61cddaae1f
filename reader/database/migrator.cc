#include "reader/database/migrator.h"

#include <fmt/format.h>

#include <array>
#include <set>
#include <string>

#include "core/time_format.h"
#include "reader/database/list_indexes.h"

namespace tidegate::reader {

namespace {
// Makes indexes, and goes on after a database that fails, because one that a tenant has for itself
// must not keep the others from theirs.
class IndexMaker {
 public:
  explicit IndexMaker(DocumentStore& store) : store_(store) {}

  void Make(const Namespace& ns, std::span<const Index> indexes) {
    if (failed_.contains(ns.database)) return;
    Status status = store_.EnsureIndexes(ns, indexes);
    if (status.ok()) return;
    if (failed_.empty()) first_ = status;
    failed_.insert(ns.database);
  }
  // The first failure.
  const Status& status() const { return first_; }

 private:
  DocumentStore& store_;
  Status first_;
  std::set<std::string> failed_;
};

// A database that an earlier version or another reader has filled lacks some of the indexes that
// queries use. The collections of tenants that are not known in advance get them with their first
// document.
Status MakeIndexes(DocumentStore& store, const Layout& layout) {
  IndexMaker maker(store);
  for (const auto& [ns, indexes] : layout.collections) maker.Make(ns, indexes);
  return maker.status();
}

// Lists need other indexes than migration 1 made, and projections need them too.
Status RemakeIndexes(DocumentStore& store, const Layout& layout) {
  IndexMaker maker(store);
  for (const auto& [ns, indexes] : layout.collections) maker.Make(ns, indexes);
  std::set<std::string> databases;
  for (const auto& [ns, indexes] : layout.collections) databases.insert(ns.database);
  for (const auto& [collection, indexes] : ProjectionIndexes(layout.tenancy)) {
    std::set<std::string> places = databases;
    // Losses of whole partitions are stored in the main database, whatever the tenancy.
    if (collection == "losses") places.insert(layout.database);
    for (const std::string& database : places) maker.Make({database, collection}, indexes);
  }
  return maker.status();
}

constexpr std::array kAll{Migration{1, "the indexes of each stream's collection", MakeIndexes},
                          Migration{2, "indexes for lists, in place of others", RemakeIndexes}};
}  // namespace

std::span<const Migration> AllMigrations() {
  return kAll;
}

Result<std::vector<Migrator::State>> Migrator::Read() {
  std::vector<DocumentKey> keys;
  for (size_t number = 1; number <= migrations_.size() + 1; ++number)
    keys.push_back({{parts_.layout.database, kMigrations}, fmt::format("{}", number)});
  const auto records = parts_.records.Load(keys);
  if (!records.ok()) return records.error();
  // A later version has recorded the migration after our last.
  if (records->back().revision > 0) {
    return Error{ErrorCode::kInvalid,
                 fmt::format("the database {} was migrated by a later version ({}, of which this "
                             "one knows {}); upgrade this one",
                             parts_.layout.database, migrations_.size() + 1, migrations_.size())};
  }
  std::vector<State> states;
  for (size_t i = 0; i < migrations_.size(); ++i) {
    const Projection& record = (*records)[i];
    State state{&migrations_[i], std::nullopt};
    if (record.revision > 0)
      state.applied_at = record.members.Time("applied_at").value_or(WallTime());
    states.push_back(state);
  }
  return states;
}

Status Migrator::Run() {
  const auto states = Read();
  if (!states.ok()) return states.error();
  for (const State& state : *states) {
    if (state.applied_at) continue;
    const Migration& migration = *state.migration;
    if (Status status = migration.apply(parts_.store, parts_.layout); !status.ok()) return status;
    if (Status status = Record(migration); !status.ok()) return status;
    parts_.log.Info("migration {} of the database {}: {}", migration.number, parts_.layout.database,
                    migration.name);
  }
  return {};
}

Status Migrator::Record(const Migration& migration) {
  Projection record;
  record.key = {{parts_.layout.database, kMigrations}, fmt::format("{}", migration.number)};
  record.members["name"] = {std::string(migration.name)};
  record.members["applied_at"] = {parts_.clock.Now()};
  // On a conflict another migrator has recorded the same.
  return Status(parts_.records.Save({&record, 1}));
}

std::string MigrationReport(std::span<const Migrator::State> states) {
  std::string report;
  for (const Migrator::State& state : states) {
    report +=
        fmt::format("{:>3}  {:<40}  {}\n", state.migration->number, state.migration->name,
                    state.applied_at ? "applied " + FormatTime(*state.applied_at) : "pending");
  }
  return report;
}

}  // namespace tidegate::reader
