#include "reader/project/projection_indexes.h"

namespace tidegate::reader {

namespace {
// The newest of a tenant, and of one of its assets.
std::vector<Index> ByTime(const std::string& time, Tenancy tenancy) {
  Index all{"time", {{time, -1}}};
  Index asset{"asset_time", {{"asset_id", 1}, {time, -1}}};
  if (tenancy == Tenancy::kShared) {
    all = {"tenant_time", {{"tenant_id", 1}, {time, -1}}};
    asset = {"tenant_asset_time", {{"tenant_id", 1}, {"asset_id", 1}, {time, -1}}};
  }
  return {all, asset};
}
}  // namespace

std::vector<std::pair<std::string, std::vector<Index>>> ProjectionIndexes(Tenancy tenancy) {
  return {{"assets", {ByTime("last_seen", tenancy).front()}},
          {"aggregated_data", ByTime("timestamp", tenancy)},
          {"failures", ByTime("started_at", tenancy)},
          {"alert_states", ByTime("raised_at", tenancy)},
          {"losses", {{"time", {{"timestamp", -1}}}}}};
}

}  // namespace tidegate::reader
