#include "agent/pipeline/asset_table.h"

#include <iterator>
#include <utility>

#include "core/check.h"

namespace tidegate {

namespace {

std::string_view TenantOf(std::string_view key) {
  return key.substr(0, key.find('/'));
}

}  // namespace

AssetTable::AssetTable(size_t most, std::function<void(const Asset&)> on_forget)
    : most_(most), on_forget_(std::move(on_forget)) {
  CHECK(most_ > 0, "there is room for an asset");
}

void AssetTable::Clear() {
  index_.clear();
  sizes_.clear();
  tenants_.clear();
}

Asset& AssetTable::Touch(std::string_view key) {
  auto found = index_.find(key);
  if (found == index_.end()) {
    Insert(Asset{.key = std::string(key), .time = {}, .arrival = {}, .states = {}});
    found = index_.find(key);
  }
  const Place& place = found->second;
  Assets& list = place.tenant->ListOf(place.stateful);
  list.splice(list.end(), list, place.asset);
  return *place.asset;
}

bool AssetTable::Insert(Asset asset) {
  if (index_.contains(asset.key)) return false;
  if (index_.size() >= most_) Forget(Crowded(TenantOf(asset.key)));
  const auto tenant = tenants_.try_emplace(std::string(TenantOf(asset.key))).first;
  const bool stateful = !asset.states.empty();
  Assets& list = tenant->second.ListOf(stateful);
  list.push_back(std::move(asset));
  index_.emplace(list.back().key, Place{&tenant->second, std::prev(list.end()), stateful});
  Resize(*tenant, tenant->second.size() - 1);
  CHECK(index_.size() <= most_, "the number of assets is bounded");
  return true;
}

AssetTable::Tenants::iterator AssetTable::Crowded(std::string_view newcomer) {
  CHECK(!tenants_.empty(), "a full table has a tenant");
  const auto own = tenants_.find(newcomer);
  if (own != tenants_.end() && own->second.size() * tenants_.size() >= most_) return own;
  const auto largest = tenants_.find(sizes_.begin()->name);
  CHECK(largest != tenants_.end(), "every size is that of a tenant");
  return largest;
}

// Notes that the tenant has not so many assets any more.
void AssetTable::Resize(const Tenants::value_type& tenant, size_t before) {
  if (before > 0) sizes_.erase({before, tenant.first});
  if (tenant.second.size() > 0) sizes_.insert({tenant.second.size(), tenant.first});
}

void AssetTable::Forget(Tenants::iterator tenant) {
  Tenant& assets = tenant->second;
  Assets& list = assets.ListOf(assets.stateless.empty());
  CHECK(!list.empty(), "every tenant has an asset");
  on_forget_(list.front());
  index_.erase(list.front().key);
  list.pop_front();
  Resize(*tenant, assets.size() + 1);
  if (assets.size() == 0) tenants_.erase(tenant);
  CHECK(sizes_.size() == tenants_.size(), "every tenant is among the sizes");
}

const Asset* AssetTable::Find(std::string_view key) const {
  const auto found = index_.find(key);
  return found == index_.end() ? nullptr : &*found->second.asset;
}

void AssetTable::StatesChanged(const Asset& asset) {
  const auto found = index_.find(asset.key);
  CHECK(found != index_.end(), "the asset is in the table");
  Place& place = found->second;
  const bool stateful = !asset.states.empty();
  if (stateful == place.stateful) return;
  Assets& to = place.tenant->ListOf(stateful);
  to.splice(to.end(), place.tenant->ListOf(place.stateful), place.asset);
  place.stateful = stateful;
}

void AssetTable::ChangeEach(const std::function<void(Asset&)>& change) {
  const auto change_list = [&](Assets& list) {
    for (auto asset = list.begin(); asset != list.end();) {
      Asset& changed = *asset++;
      change(changed);
      StatesChanged(changed);
    }
  };
  for (auto& [name, tenant] : tenants_) {
    change_list(tenant.stateless);
    change_list(tenant.stateful);
  }
}

void AssetTable::Save(std::vector<Asset>& out) const {
  out.reserve(out.size() + size());
  for (const auto& [name, tenant] : tenants_)
    out.insert(out.end(), tenant.stateless.begin(), tenant.stateless.end());
  for (const auto& [name, tenant] : tenants_)
    out.insert(out.end(), tenant.stateful.begin(), tenant.stateful.end());
}

}  // namespace tidegate
