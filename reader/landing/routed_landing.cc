#include "reader/landing/routed_landing.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "reader/landing/routed_completions.h"
#include "reader/landing/routed_projections.h"

namespace tidegate::reader {

namespace {
Error About(const std::string& database, const Error& error) {
  return {error.code, fmt::format("database {}: {}", database, error.message)};
}

class RoutedStore final : public DocumentStore {
 public:
  using Stores = std::map<std::string, std::unique_ptr<DocumentStore>>;

  RoutedStore(std::unique_ptr<DocumentStore> common, Stores stores)
      : common_(std::move(common)), stores_(std::move(stores)) {}

  Result<std::vector<WriteResult>> Write(std::span<const Document> documents) override;
  Status EnsureIndexes(const Namespace& ns, std::span<const Index> indexes) override {
    return StoreOf(ns).EnsureIndexes(ns, indexes);
  }
  Result<size_t> Expire(const Namespace& ns, WallTime now, size_t limit) override {
    return StoreOf(ns).Expire(ns, now, limit);
  }
  Status Ping() override;

 private:
  DocumentStore& StoreOf(const Namespace& ns) {
    const auto own = stores_.find(ns.database);
    return own == stores_.end() ? *common_ : *own->second;
  }

  std::unique_ptr<DocumentStore> common_;
  Stores stores_;  // By database.
};

// In runs of one store. A store that is away does not keep the others from what is theirs; the
// whole is then written again, and to those it is duplicates.
Result<std::vector<WriteResult>> RoutedStore::Write(std::span<const Document> documents) {
  std::vector<WriteResult> results;
  std::optional<Error> failure;
  for (size_t first = 0; first < documents.size();) {
    DocumentStore& store = StoreOf(documents[first].ns);
    size_t count = 1;
    while (first + count < documents.size() && &StoreOf(documents[first + count].ns) == &store)
      ++count;
    auto run = store.Write(documents.subspan(first, count));
    if (run.ok()) {
      for (WriteResult& result : *run) results.push_back(std::move(result));
    } else if (!failure) {
      failure = About(documents[first].ns.database, run.error());
    }
    first += count;
  }
  if (failure) return *failure;
  return results;
}

Status RoutedStore::Ping() {
  Status status = common_->Ping();
  for (const auto& [database, store] : stores_) {
    if (Status own = store->Ping(); !own.ok() && status.ok()) status = About(database, own.error());
  }
  return status;
}

class RoutedLanding final : public Landing {
 public:
  using Landings = std::map<std::string, std::unique_ptr<Landing>>;

  RoutedLanding(std::unique_ptr<Landing> common, Landings landings)
      : common_(std::move(common)), landings_(std::move(landings)) {}

  Result<std::unique_ptr<DocumentStore>> NewStore(const Log& log) override {
    auto common = common_->NewStore(log);
    if (!common.ok()) return common.error();
    RoutedStore::Stores stores;
    for (const auto& [database, landing] : landings_) {
      auto store = landing->NewStore(log);
      if (!store.ok()) return About(database, store.error());
      stores[database] = std::move(store).value();
    }
    return std::unique_ptr<DocumentStore>(
        std::make_unique<RoutedStore>(std::move(common).value(), std::move(stores)));
  }
  Result<std::unique_ptr<ProjectionStore>> NewProjections() override {
    auto common = common_->NewProjections();
    if (!common.ok()) return common.error();
    std::map<std::string, std::unique_ptr<ProjectionStore>> stores;
    for (const auto& [database, landing] : landings_) {
      auto store = landing->NewProjections();
      if (!store.ok()) return About(database, store.error());
      stores[database] = std::move(store).value();
    }
    return RouteProjections(std::move(common).value(), std::move(stores));
  }
  Result<std::unique_ptr<Completions>> NewCompletions() override {
    auto common = common_->NewCompletions();
    if (!common.ok()) return common.error();
    std::map<std::string, std::unique_ptr<Completions>> own;
    for (const auto& [database, landing] : landings_) {
      auto completions = landing->NewCompletions();
      if (!completions.ok()) return About(database, completions.error());
      own[database] = std::move(completions).value();
    }
    return RouteCompletions(std::move(common).value(), std::move(own));
  }

 private:
  std::unique_ptr<Landing> common_;
  Landings landings_;
};
}  // namespace

Result<std::unique_ptr<Landing>> OpenLandings(
    const std::string& uri, const std::map<std::string, std::string>& uri_of_database) {
  auto common = OpenLanding(uri);
  if (!common.ok() || uri_of_database.empty()) return common;
  RoutedLanding::Landings landings;
  for (const auto& [database, own] : uri_of_database) {
    auto landing = OpenLanding(own);
    if (!landing.ok()) return About(database, landing.error());
    landings[database] = std::move(landing).value();
  }
  return std::unique_ptr<Landing>(
      std::make_unique<RoutedLanding>(std::move(common).value(), std::move(landings)));
}

}  // namespace tidegate::reader
