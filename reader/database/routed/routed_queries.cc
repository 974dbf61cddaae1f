#include "reader/database/routed/routed_queries.h"

#include <utility>

namespace tidegate::reader {

namespace {
class RoutedQueryStore final : public QueryStore {
 public:
  RoutedQueryStore(std::unique_ptr<QueryStore> common, const QueriesOfDatabase& queries)
      : common_(std::move(common)), queries_(queries) {}

  Result<Page> Find(const Query& query, const PageLimit& limit,
                    std::chrono::milliseconds within) override {
    const auto store = StoreFor(query.ns.database);
    if (!store.ok()) return store.error();
    return (*store)->Find(query, limit, within);
  }
  Result<uint64_t> Count(const Query& query, uint64_t most,
                         std::chrono::milliseconds within) override {
    const auto store = StoreFor(query.ns.database);
    if (!store.ok()) return store.error();
    return (*store)->Count(query, most, within);
  }
  Status Ping(std::chrono::milliseconds within) override { return common_->Ping(within); }

 private:
  Result<QueryStore*> StoreFor(const std::string& database) {
    const auto queries = queries_.find(database);
    if (queries == queries_.end()) return common_.get();
    std::unique_ptr<QueryStore>& own = own_[database];
    if (own) return own.get();
    auto made = queries->second->NewStore();
    if (!made.ok()) return made.error();
    own = std::move(made).value();
    return own.get();
  }

  const std::unique_ptr<QueryStore> common_;
  const QueriesOfDatabase& queries_;
  std::map<std::string, std::unique_ptr<QueryStore>> own_;
};

class RoutedQueries final : public Queries {
 public:
  RoutedQueries(std::unique_ptr<Queries> common, QueriesOfDatabase own)
      : common_(std::move(common)), own_(std::move(own)) {}
  Result<std::unique_ptr<QueryStore>> NewStore() override {
    auto common = common_->NewStore();
    if (!common.ok()) return common.error();
    return std::unique_ptr<QueryStore>(
        std::make_unique<RoutedQueryStore>(std::move(common).value(), own_));
  }

 private:
  const std::unique_ptr<Queries> common_;
  const QueriesOfDatabase own_;
};
}  // namespace

std::unique_ptr<Queries> RouteQueries(std::unique_ptr<Queries> common, QueriesOfDatabase own) {
  if (own.empty()) return common;
  return std::make_unique<RoutedQueries>(std::move(common), std::move(own));
}

Result<std::unique_ptr<Queries>> OpenRoutedQueries(
    const std::string& uri, const std::map<std::string, std::string>& uri_of_database,
    const Clock& clock, std::chrono::milliseconds answer_within) {
  auto common = OpenQueries(uri, clock, answer_within);
  if (!common.ok()) return common.error();
  QueriesOfDatabase own;
  for (const auto& [database, own_uri] : uri_of_database) {
    auto queries = OpenQueries(own_uri, clock, answer_within);
    if (!queries.ok()) return queries.error();
    own.emplace(database, std::move(queries).value());
  }
  return RouteQueries(std::move(common).value(), std::move(own));
}

}  // namespace tidegate::reader
