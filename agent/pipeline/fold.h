// Folds records into a state: each asset's last record, and the rules' states for each asset. The
// state is a pure function of the records, their arrivals (in milliseconds, as the store keeps
// them) and the rules: records folded again in the order of arrival give the same state. Loop
// thread only.
//
// Invariant: raised() counts every alert that is cleared or forgotten (Step, OnForget).
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/pipeline/asset_table.h"
#include "agent/pipeline/decode.h"
#include "agent/pipeline/fold_state.h"
#include "core/rules/rules.h"

namespace tidegate {

class Fold {
 public:
  struct Options {
    // Each asset needs about 200 bytes of memory, and 10 of the snapshot. Above the limit one is
    // forgotten (asset_table.h). When it sends again it counts as new, and an alert that was raised
    // for it is raised again. At least 1.
    size_t assets = 10'000;
  };
  using Emit = std::function<void(Record alert, RuleChange change)>;

  Fold(std::vector<Rule> rules, Options options);
  Fold(const Fold&) = delete;
  Fold& operator=(const Fold&) = delete;

  // Empties the state.
  void Clear();
  // Replaces the state by a saved one. A rule that kept its name but not its definition keeps the
  // alerts that it has raised, so that they can be cleared, and starts its waits ("for") again. A
  // rule that is not configured any more keeps its states unseen, in case it comes back. REQUIRES:
  // the index of each rule's state is within `saved.rules`.
  void Load(const FoldState& saved);
  // Appends rules and assets to `state`; boot id and inputs are the caller's.
  void Save(FoldState& state) const;

  // The records that follow arrived in another boot of the gateway: arrivals and waits that count
  // from the start of the previous boot end.
  void BeginBoot();
  // Folds one record and calls `emit` for each alert that is raised or cleared. `retained`: the
  // source kept the record, and it may be old. It changes nothing if it is older than its asset's
  // last record, or has no time of its own while the asset has a record.
  void Apply(const DecodedRecord& decoded, std::chrono::milliseconds since_boot, const Emit& emit,
             bool retained = false);
  // Folds a stored record again; its alerts were stored with it, so none are emitted. Skips rules
  // that the loaded state did not know with their present definition: they were not evaluated when
  // the record was folded first.
  void ApplyAgain(const Record& record, std::chrono::milliseconds since_boot,
                  bool retained = false);

  // Alerts of the configured rules that are raised.
  size_t raised() const { return raised_; }
  size_t assets() const { return assets_.size(); }
  // Assets forgotten because of Options::assets, since this object was made.
  uint64_t forgotten() const { return forgotten_; }
  // nullptr: unknown. Valid until the next change.
  const Asset* Find(std::string_view tenant, std::string_view asset) const;

 private:
  struct FoldedRule {
    RuleIdentity identity;
    // nullopt: not configured any more.
    std::optional<Rule> rule;
    // The rule was evaluated when the records after the snapshot were folded first.
    bool evaluated_before = true;
  };
  bool IsOutdated(const Record& record) const;
  Asset& Touch(const Record& record, std::chrono::milliseconds since_boot);
  void OnForget(const Asset& asset);
  void FoldRules(const DecodedRecord& decoded, Moment moment, Asset& asset, const Emit* emit);
  void Step(const DecodedRecord& decoded, uint32_t rule, json::Value field, Moment moment,
            Asset& asset, const Emit* emit);

  // The configured rules first.
  std::vector<FoldedRule> rules_;
  AssetTable assets_;
  // A buffer, kept for its memory.
  std::string key_;
  size_t raised_ = 0;
  uint64_t forgotten_ = 0;
};

}  // namespace tidegate
