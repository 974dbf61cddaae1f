#include "reader/database/routed/routed_landing.h"

#include <fmt/format.h>

#include <utility>

#include "core/check.h"
#include "reader/database/routed/by_database.h"
#include "reader/database/routed/fanned_store.h"
#include "reader/database/routed/late_stores.h"
#include "reader/database/routed/routed_completions.h"
#include "reader/database/routed/routed_projections.h"

namespace tidegate::reader {

namespace {
Error About(const std::string& database, const Error& error) {
  return {error.code, fmt::format("database {}: {}", database, error.message)};
}

class RoutedLanding final : public Landing {
 public:
  using Landings = std::map<std::string, std::unique_ptr<Landing>>;

  RoutedLanding(std::unique_ptr<Landing> common, Landings landings, const Clock* clock)
      : common_(std::move(common)), landings_(std::move(landings)), clock_(clock) {}

  bool Exists() const override { return common_->Exists(); }
  bool concurrent() const override { return common_->concurrent(); }
  Result<std::unique_ptr<DocumentStore>> NewStore(const Log& log) override {
    return Fan(log, 1, nullptr);
  }
  Result<std::unique_ptr<DocumentStore>> NewWriter(const Log& log, size_t threads) override {
    CHECK(threads > 0, "somebody writes");
    return Fan(log, threads, clock_);
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
  Result<std::unique_ptr<DocumentStore>> Fan(const Log& log, size_t threads, const Clock* clock);
  // Makes one store from each landing, and joins them by `route`. A tenant's own one is opened when
  // it is used.
  template <typename Store, typename Make, typename Route>
  Result<std::unique_ptr<Store>> Each(Make make, Route route) {
    auto common = make(*common_);
    if (!common.ok()) return common.error();
    typename ByDatabase<Store>::Own own;
    for (const auto& [database, landing] : landings_) {
      own[database] = LateStore(
          OpenLate<Store>([make, own_landing = landing.get()] { return make(*own_landing); }));
    }
    return route(ByDatabase<Store>(std::move(common).value(), std::move(own)));
  }

  std::unique_ptr<Landing> common_;
  Landings landings_;
  const Clock* const clock_;
};

Result<FannedStore::Server> OpenServer(Landing& landing, const Log& log, size_t threads) {
  FannedStore::Server server;
  server.by_namespace = landing.concurrent();
  const size_t stores = landing.concurrent() ? threads : 1;
  while (server.stores.size() < stores) {
    auto store = landing.NewStore(log);
    if (!store.ok()) return store.error();
    server.stores.push_back(std::move(store).value());
  }
  return server;
}

// A tenant's own server is written to by one thread, because it has few collections.
Result<std::unique_ptr<DocumentStore>> RoutedLanding::Fan(const Log& log, size_t threads,
                                                          const Clock* clock) {
  auto common = OpenServer(*common_, log, threads);
  if (!common.ok()) return common.error();
  FannedStore::Servers own;
  for (const auto& [database, landing] : landings_) {
    FannedStore::Server server;
    server.by_namespace = landing->concurrent();
    server.stores.push_back(LateStore(OpenLate<DocumentStore>(
        [&log, own_landing = landing.get()] { return own_landing->NewStore(log); })));
    own.emplace(database, std::move(server));
  }
  return std::unique_ptr<DocumentStore>(
      std::make_unique<FannedStore>(std::move(common).value(), std::move(own), clock));
}
}  // namespace

Result<std::unique_ptr<Landing>> OpenLandings(
    const std::string& uri, const std::map<std::string, std::string>& uri_of_database,
    const LandingOptions& options) {
  auto common = OpenLanding(uri, options);
  if (!common.ok()) return common;
  LandingOptions own_options = options;
  own_options.answer_within = options.own_answer_within.value_or(options.answer_within);
  RoutedLanding::Landings landings;
  for (const auto& [database, own] : uri_of_database) {
    auto landing = OpenLanding(own, own_options);
    if (!landing.ok()) return About(database, landing.error());
    landings[database] = std::move(landing).value();
  }
  return std::unique_ptr<Landing>(std::make_unique<RoutedLanding>(
      std::move(common).value(), std::move(landings), options.clock));
}

}  // namespace tidegate::reader
