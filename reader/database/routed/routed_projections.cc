#include "reader/database/routed/routed_projections.h"

#include <utility>

namespace tidegate::reader {

namespace {
class RoutedProjections final : public ProjectionStore {
 public:
  explicit RoutedProjections(ByDatabase<ProjectionStore> stores) : stores_(std::move(stores)) {}

  Result<std::vector<Projection>> Load(std::span<const DocumentKey> keys) override {
    return InRuns<Projection>(keys, DatabaseOfKey,
                              [](ProjectionStore& store, auto run) { return store.Load(run); });
  }
  Result<std::vector<SaveOutcome>> Save(std::span<const Projection> projections) override {
    const auto database = [](const Projection& projection) -> const std::string& {
      return projection.key.ns.database;
    };
    return InRuns<SaveOutcome>(projections, database,
                               [](ProjectionStore& store, auto run) { return store.Save(run); });
  }
  Result<std::vector<std::optional<Landed>>> FindLanded(
      std::span<const DocumentKey> keys) override {
    return InRuns<std::optional<Landed>>(keys, DatabaseOfKey, [](ProjectionStore& store, auto run) {
      return store.FindLanded(run);
    });
  }
  Status EachLanded(const Namespace& ns, const TakeLanded& take) override {
    return stores_.Of(ns.database).EachLanded(ns, take);
  }
  Status Clear(const Namespace& ns) override { return stores_.Of(ns.database).Clear(ns); }
  Result<Offsets> ReadPositions(const std::string& database,
                                std::span<const std::string> partitions) override {
    return stores_.Of(database).ReadPositions(database, partitions);
  }
  Status WritePositions(const std::string& database, const Offsets& next, WallTime now) override {
    return stores_.Of(database).WritePositions(database, next, now);
  }

 private:
  static const std::string& DatabaseOfKey(const DocumentKey& key) { return key.ns.database; }

  // Joins the results of `call` on each run. The first error ends it.
  template <typename Out, typename In, typename DatabaseOf, typename Call>
  Result<std::vector<Out>> InRuns(std::span<const In> items, DatabaseOf database_of, Call call) {
    std::vector<Out> results;
    results.reserve(items.size());
    const Status status =
        stores_.ForEachRun(items, database_of, [&](ProjectionStore& store, auto run) -> Status {
          Result<std::vector<Out>> part = call(store, run);
          if (!part.ok()) return part.error();
          CHECK(part->size() == run.size(), "a store returns one result for each item");
          for (Out& result : *part) results.push_back(std::move(result));
          return {};
        });
    if (!status.ok()) return status.error();
    return results;
  }

  ByDatabase<ProjectionStore> stores_;
};
}  // namespace

std::unique_ptr<ProjectionStore> RouteProjections(ByDatabase<ProjectionStore> stores) {
  return std::make_unique<RoutedProjections>(std::move(stores));
}

}  // namespace tidegate::reader
