// What the pipeline knows besides the records: the fold (each asset's last record and the rules'
// states), the boot that the fold's times count from, and the receipts of each input. The class
// restores all of it from the store and encodes it for the store's snapshot. Loop thread only.
//
// Invariant: a state that could not be restored completely, because the store could not be read
// then, is never encoded, so that it cannot replace a complete snapshot. What is damaged for good
// is no reason to wait: the state then covers what can be read.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "agent/pipeline/fold.h"
#include "agent/pipeline/receipts.h"
#include "agent/pipeline/retained.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/metrics.h"
#include "core/result.h"
#include "core/rules/rules.h"
#include "store/store.h"

namespace tidegate {

class PipelineState {
 public:
  // All references outlive the state, which begins empty and complete.
  PipelineState(Store& store, const Clock& clock, const Log& log, Metrics& metrics,
                std::vector<Rule> rules, Fold::Options options);
  PipelineState(const PipelineState&) = delete;
  PipelineState& operator=(const PipelineState&) = delete;

  // Restores the last process's state from the store's snapshot and the records after it, and
  // enters the present boot. Logs and counts what it cannot read. REQUIRES: called before the first
  // record is folded and before the first receipt is added.
  void Restore();

  // Restores the fold alone, so that it covers exactly the stored records, and enters the present
  // boot; receipts stay. False: the store could not be read to the end, and the state is incomplete
  // until the next attempt succeeds.
  bool RestoreFold();

  // The body of a snapshot, with the receipts of these inputs; nullopt if the state is incomplete.
  // REQUIRES: receipts() and retained() were called for each of the inputs.
  std::optional<std::string> Encode(std::span<const std::string> inputs) const;

  // Counts and logs the assets that the fold has forgotten since the last call.
  void ReportForgotten();

  // False: the state could not be restored completely.
  bool complete() const { return complete_; }
  Fold& fold() { return fold_; }
  const Fold& fold() const { return fold_; }
  // Lives as long as this object. Empty for an input that is new.
  Receipts& receipts(const std::string& input) { return receipts_[input]; }
  RetainedReceipts& retained(const std::string& input) { return retained_[input]; }

 private:
  // False: the store could not be read to the end.
  bool ReadBack(bool with_receipts);
  // nullopt: no snapshot, or one that is damaged or of a newer version. Error: the store cannot be
  // read now. `through` is set to the last seq that the returned state covers.
  Result<std::optional<FoldState>> LoadSnapshot(Seq& through);
  Result<std::optional<FoldState>> Unreadable(const Error& error);
  void LoadReceipts(const FoldState& saved);
  void SaveReceipts(const std::string& input, FoldState& state) const;
  void EnterBoot(const std::string& boot_id);

  Store& store_;
  const Clock& clock_;
  const Log& log_;
  const size_t max_assets_;
  Fold fold_;
  // The boot that the fold's times count from.
  std::string boot_id_;
  // By input; also of inputs that are not added yet.
  std::map<std::string, Receipts> receipts_;
  std::map<std::string, RetainedReceipts> retained_;
  bool complete_ = true;
  uint64_t forgotten_reported_ = 0;
  LogLimit forgotten_log_;
  Metrics::Counter& restore_failures_;
  Metrics::Counter& assets_forgotten_;
};

}  // namespace tidegate
