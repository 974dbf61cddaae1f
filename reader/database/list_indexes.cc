#include "reader/database/list_indexes.h"

#include <array>

namespace tidegate::reader {

namespace {
// Indexes of earlier versions, whose keys changed under the same name from version to version.
constexpr std::array kRetired{"time", "tenant_time", "asset_time", "tenant_asset_time"};

// The name lists the keys, as MongoDB's default does, so that changed keys make another index.
Index ListIndex(std::vector<std::string> members, std::string_view time) {
  Index index;
  for (std::string& member : members) index.keys.emplace_back(std::move(member), 1);
  index.keys.emplace_back(time, -1);
  index.keys.emplace_back("_id", -1);
  for (const auto& [member, direction] : index.keys) {
    if (!index.name.empty()) index.name += "_";
    index.name += member + "_" + std::to_string(direction);
  }
  return index;
}
}  // namespace

std::vector<Index> ListIndexes(std::string_view time,
                               std::initializer_list<std::string_view> filters, Tenancy tenancy) {
  std::vector<Index> indexes;
  for (const char* name : kRetired) indexes.push_back({.name = name, .retired = true});
  std::vector<std::string> tenant;
  if (tenancy == Tenancy::kShared) tenant.emplace_back("tenant_id");
  indexes.push_back(ListIndex({}, time));
  if (!tenant.empty()) indexes.push_back(ListIndex(tenant, time));
  for (const std::string_view filter : filters) {
    std::vector<std::string> members = tenant;
    members.emplace_back(filter);
    indexes.push_back(ListIndex(std::move(members), time));
  }
  return indexes;
}

std::vector<std::pair<std::string, std::vector<Index>>> ProjectionIndexes(Tenancy tenancy,
                                                                          bool expires) {
  std::vector<std::pair<std::string, std::vector<Index>>> all{
      {"assets", ListIndexes("first_seen", {}, tenancy)},
      {"aggregated_data", ListIndexes("timestamp", {"asset_id", "sensor_type", "window"}, tenancy)},
      // Active failures and raised alerts are queried most often, and are few among many.
      {"failures", ListIndexes("started_at", {"asset_id", "active"}, tenancy)},
      {"alert_states", ListIndexes("raised_at", {"asset_id", "status", "severity"}, tenancy)},
      {"losses", ListIndexes("timestamp", {}, tenancy)},
  };
  if (!expires) return all;
  // The state of assets between documents is not listed, but expires, too.
  all.emplace_back("tidegate_folds", std::vector<Index>());
  for (auto& [collection, indexes] : all) indexes.push_back(ExpiryIndex());
  return all;
}

Status EnsureProjectionIndexes(DocumentStore& store, const std::string& database, Tenancy tenancy,
                               bool expires) {
  for (const auto& [collection, indexes] : ProjectionIndexes(tenancy, expires)) {
    if (Status status = store.EnsureIndexes({database, collection}, indexes); !status.ok())
      return status;
  }
  return {};
}

}  // namespace tidegate::reader
