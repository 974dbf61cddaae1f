// The damaged files that are being moved into the store, the newest first, and what is logged and
// counted about them. Private to store/; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "core/result.h"
#include "store/salvage/salvage.h"
#include "store/store_metrics.h"

namespace tidegate {

class Salvages {
 public:
  // Everything outlives the object.
  Salvages(const Salvage::Context& context, uint64_t max_aside_bytes, const Clock& clock,
           const Log& log, StoreMetrics& metrics);

  // `on_work` is called when there is something to do again; it must not call the store.
  void OnWork(std::function<void()> on_work) { on_work_ = std::move(on_work); }
  // Begins with a file that the store has just replaced. Arguments as the constructor of Salvage.
  void Add(SalvageJob job, bool fold_is_live, BatchSet delivered);
  // Continues with the jobs that are stored in the file. Does nothing for those that are known.
  Status Read(StoreHandle& handle);

  bool empty() const { return salvages_.empty(); }
  // True as long as a start cannot restore the fold from the store.
  bool Blocks(const StoreContents& contents) const;
  Seq SendableThrough(RecordClass record_class) const;
  std::vector<SalvageJob> jobs() const;
  // Of the file that is being moved, in percent. REQUIRES: not empty.
  unsigned percent() const;
  // True while set-aside files may have new names or sizes since the last call.
  bool TakeChanged() { return std::exchange(changed_, false); }

  // Does one piece of the work. Returns how long to wait before the next; nullopt: all is done.
  std::optional<std::chrono::nanoseconds> Step(SalvageTarget& target, BootTime deadline);

 private:
  void Finish(const Salvage& salvage);
  void UpdateMetrics();

  const Salvage::Context context_;
  const uint64_t max_aside_bytes_;
  const Clock& clock_;
  const Log& log_;
  StoreMetrics& metrics_;
  std::function<void()> on_work_;
  std::vector<std::unique_ptr<Salvage>> salvages_;
  bool changed_ = false;
  LogLimit error_limit_;
};

}  // namespace tidegate
