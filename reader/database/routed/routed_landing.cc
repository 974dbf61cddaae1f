#include "reader/database/routed/routed_landing.h"

#include <fmt/format.h>

#include <utility>

#include "reader/database/routed/by_database.h"
#include "reader/database/routed/routed_completions.h"
#include "reader/database/routed/routed_projections.h"

namespace tidegate::reader {

namespace {
Error About(const std::string& database, const Error& error) {
  return {error.code, fmt::format("database {}: {}", database, error.message)};
}

class RoutedStore final : public DocumentStore {
 public:
  explicit RoutedStore(ByDatabase<DocumentStore> stores) : stores_(std::move(stores)) {}

  Result<std::vector<WriteResult>> Write(std::span<const Document> documents) override;
  Status EnsureIndexes(const Namespace& ns, std::span<const Index> indexes) override {
    return stores_.Of(ns.database).EnsureIndexes(ns, indexes);
  }
  Result<size_t> Expire(const Namespace& ns, WallTime now, size_t limit) override {
    return stores_.Of(ns.database).Expire(ns, now, limit);
  }
  Status Ping() override;

 private:
  ByDatabase<DocumentStore> stores_;
};

// A store that is unreachable does not keep the others from writing their documents. The whole is
// then written again, and to those stores it is duplicates.
Result<std::vector<WriteResult>> RoutedStore::Write(std::span<const Document> documents) {
  std::vector<WriteResult> results;
  results.reserve(documents.size());
  Status failure;
  const auto database_of = [](const Document& document) -> const std::string& {
    return document.ns.database;
  };
  const auto write = [&](DocumentStore& store, std::span<const Document> run) -> Status {
    auto written = store.Write(run);
    if (!written.ok()) {
      if (failure.ok()) failure = About(run.front().ns.database, written.error());
      return {};
    }
    CHECK(written->size() == run.size(), "a store returns one result for each document");
    for (WriteResult& result : *written) results.push_back(std::move(result));
    return {};
  };
  if (Status status = stores_.ForEachRun(documents, database_of, write); !status.ok())
    return status.error();
  if (!failure.ok()) return failure.error();
  CHECK(results.size() == documents.size(), "each document has one result");
  return results;
}

Status RoutedStore::Ping() {
  Status status = stores_.common().Ping();
  for (const auto& [database, store] : stores_.own()) {
    if (Status own = store->Ping(); !own.ok() && status.ok()) status = About(database, own.error());
  }
  return status;
}

class RoutedLanding final : public Landing {
 public:
  using Landings = std::map<std::string, std::unique_ptr<Landing>>;

  RoutedLanding(std::unique_ptr<Landing> common, Landings landings)
      : common_(std::move(common)), landings_(std::move(landings)) {}

  bool Exists() const override { return common_->Exists(); }
  Result<std::unique_ptr<DocumentStore>> NewStore(const Log& log) override {
    const auto route = [](ByDatabase<DocumentStore> stores) -> std::unique_ptr<DocumentStore> {
      return std::make_unique<RoutedStore>(std::move(stores));
    };
    return Each<DocumentStore>([&log](Landing& landing) { return landing.NewStore(log); }, route);
  }
  Result<std::unique_ptr<ProjectionStore>> NewProjections() override {
    return Each<ProjectionStore>([](Landing& landing) { return landing.NewProjections(); },
                                 RouteProjections);
  }
  Result<std::unique_ptr<Completions>> NewCompletions() override {
    return Each<Completions>([](Landing& landing) { return landing.NewCompletions(); },
                             RouteCompletions);
  }

 private:
  // Makes one store from each landing, and joins them by `route`.
  template <typename Store, typename Make, typename Route>
  Result<std::unique_ptr<Store>> Each(Make make, Route route) {
    auto common = make(*common_);
    if (!common.ok()) return common.error();
    typename ByDatabase<Store>::Own own;
    for (const auto& [database, landing] : landings_) {
      auto store = make(*landing);
      if (!store.ok()) return About(database, store.error());
      own[database] = std::move(store).value();
    }
    return route(ByDatabase<Store>(std::move(common).value(), std::move(own)));
  }

  std::unique_ptr<Landing> common_;
  Landings landings_;
};
}  // namespace

Result<std::unique_ptr<Landing>> OpenLandings(
    const std::string& uri, const std::map<std::string, std::string>& uri_of_database,
    const LandingOptions& options) {
  auto common = OpenLanding(uri, options);
  if (!common.ok() || uri_of_database.empty()) return common;
  RoutedLanding::Landings landings;
  for (const auto& [database, own] : uri_of_database) {
    auto landing = OpenLanding(own, options);
    if (!landing.ok()) return About(database, landing.error());
    landings[database] = std::move(landing).value();
  }
  return std::unique_ptr<Landing>(
      std::make_unique<RoutedLanding>(std::move(common).value(), std::move(landings)));
}

}  // namespace tidegate::reader
