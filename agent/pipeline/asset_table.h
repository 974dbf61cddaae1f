// The assets that the fold knows, by key, no more than a limit. Above it an asset is forgotten: of
// the tenant whose asset comes, if that tenant has its share of the places, else of the tenant that
// has most; so a tenant that floods the table pushes out its own assets. Among a tenant's assets
// the one that was silent for longest is forgotten first, those without a rule's state before the
// others. The order of calls alone decides. No call takes longer than the logarithm of the number
// of tenants, ChangeEach and Save excepted. Loop thread only.
//
// Invariants: every asset is in exactly one list of its tenant and in the index (Insert, Forget),
// every tenant has an asset (Forget), and every tenant is among the sizes with its own (Resize).
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/pipeline/fold_state.h"

namespace tidegate {

class AssetTable {
 public:
  // `on_forget` is called with each asset that is forgotten, before it is gone. REQUIRES: `most` is
  // at least 1.
  AssetTable(size_t most, std::function<void(const Asset&)> on_forget);
  AssetTable(const AssetTable&) = delete;
  AssetTable& operator=(const AssetTable&) = delete;

  size_t size() const { return index_.size(); }
  void Clear();
  // Returns the asset, which was heard last of all now; a new one if the key is unknown. Valid
  // until the next call of Touch or Insert.
  Asset& Touch(std::string_view key);
  // As the asset of its tenant that was heard last. False: the asset is there already.
  bool Insert(Asset asset);
  // nullptr: unknown. Valid until the next change.
  const Asset* Find(std::string_view key) const;
  // The asset has a rule's state now, or none any more. REQUIRES: it is in the table.
  void StatesChanged(const Asset& asset);
  // Calls `change` for every asset; it may change all but the key.
  void ChangeEach(const std::function<void(Asset&)>& change);
  // Appends the assets: those without a state first, each tenant's longest silent first.
  void Save(std::vector<Asset>& out) const;

 private:
  using Assets = std::list<Asset>;
  struct Tenant {
    size_t size() const { return stateless.size() + stateful.size(); }
    Assets& ListOf(bool has_states) { return has_states ? stateful : stateless; }
    // Each: the one that was silent for longest first.
    Assets stateless;
    Assets stateful;
  };
  using Tenants = std::map<std::string, Tenant, std::less<>>;
  // A tenant with its number of assets.
  struct Size {
    // The largest tenant comes first, by name among equals.
    bool operator<(const Size& other) const {
      return assets != other.assets ? assets > other.assets : name < other.name;
    }
    size_t assets;
    // The tenant's key in the map.
    std::string_view name;
  };
  struct Place {
    Tenant* tenant;
    Assets::iterator asset;
    // The list that it is in.
    bool stateful;
  };

  Tenants::iterator Crowded(std::string_view newcomer);
  void Resize(const Tenants::value_type& tenant, size_t before);
  void Forget(Tenants::iterator tenant);

  const size_t most_;
  const std::function<void(const Asset&)> on_forget_;
  Tenants tenants_;
  std::set<Size> sizes_;
  // The keys are views of the assets' own.
  std::unordered_map<std::string_view, Place> index_;
};

}  // namespace tidegate
