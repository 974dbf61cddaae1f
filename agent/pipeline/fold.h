// The state as a fold: what each asset's last record was, and the states of the rules. A pure
// function of the records, their arrivals (in milliseconds, as the store keeps them) and the rules:
// folded again in the order of arrival, it comes out the same. Loop thread only.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/pipeline/decode.h"
#include "agent/pipeline/fold_state.h"
#include "core/rules/rules.h"

namespace tidegate {

class Fold {
 public:
  struct Options {
    // Each takes about 200 bytes, and 10 of the snapshot. One too many, and the asset that was
    // silent for longest is forgotten, those without a rule's state before the others: it counts as
    // new when it comes again, and an alert that was raised for it is raised anew.
    size_t assets = 10'000;
  };
  using Emit = std::function<void(Record alert, RuleChange change)>;

  Fold(std::vector<Rule> rules, Options options);
  Fold(const Fold&) = delete;
  Fold& operator=(const Fold&) = delete;

  // Begins anew with nothing.
  void Clear();
  // Begins anew with a saved state. A rule that has kept its name but not its definition takes over
  // what it has raised, so that it is cleared some day, and waits ("for") anew. A rule that is gone
  // keeps its states unseen, in case it comes back.
  void Load(const FoldState& saved);
  // All but boot id and inputs.
  void Save(FoldState& state) const;

  // The records that follow have arrived in another boot of the gateway: what counted from the
  // start of the one before ends.
  void BeginBoot();
  // Folds one record in and calls `emit` for each alert that is raised or cleared.
  void Apply(const DecodedRecord& decoded, std::chrono::milliseconds since_boot, const Emit& emit);
  // Folds in a record that was folded before, when its alerts were stored with it. Rules that the
  // loaded state did not know in this form had no part in that and have none in this.
  void ApplyAgain(const Record& record, std::chrono::milliseconds since_boot);

  // Of the rules that are configured.
  size_t raised() const { return raised_; }
  size_t assets() const { return index_.size(); }
  // How many were given up because there were too many, since this object began.
  uint64_t forgotten() const { return forgotten_; }
  const Asset* Find(std::string_view tenant, std::string_view asset) const;

 private:
  struct FoldedRule {
    RuleIdentity identity;
    std::optional<Rule> rule;  // Not configured any more if there is none.
    bool known = true;         // When the records behind the snapshot were folded first.
  };
  using Assets = std::list<Asset>;

  Asset& Touch(const Record& record, std::chrono::milliseconds since_boot);
  void Insert(Asset asset);
  void Forget(Assets& from);
  void FoldRules(const DecodedRecord& decoded, Moment moment, Asset& asset, const Emit* emit);
  void Step(const DecodedRecord& decoded, uint32_t rule, json::Value field, Moment moment,
            Asset& asset, const Emit* emit);
  Assets& ListOf(const Asset& asset) { return asset.states.empty() ? calm_ : busy_; }

  const Options options_;
  std::vector<FoldedRule> rules_;  // The configured ones first.
  // The one seen longest ago first; which list an asset is in follows from its states.
  Assets calm_;
  Assets busy_;
  std::unordered_map<std::string_view, Assets::iterator> index_;  // Keys are the assets' own.
  std::string key_;                                               // Kept for its memory.
  size_t raised_ = 0;
  uint64_t forgotten_ = 0;
};

}  // namespace tidegate
