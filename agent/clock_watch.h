// Watches the wall clock: learns when this boot began as soon as the kernel calls the clock
// synchronised, keeps that in the store, and reports when the clock is set. The forwarder corrects
// the times of earlier records with it. Loop thread only.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/clock.h"
#include "core/clock_history.h"
#include "core/log.h"
#include "core/loop/loop.h"
#include "core/metrics.h"
#include "store/store.h"

namespace tidegate {

class ClockWatch {
 public:
  // Reads what earlier runs have learned; what cannot be read is logged. All references outlive the
  // watch.
  ClockWatch(Store& store, Loop& loop, const Clock& clock, const Log& log, Metrics& metrics);

  // Asks the kernel, which costs less than a microsecond. Called with each commit and by a timer of
  // its own.
  void Poll();

  // `callback` is called at the first synchronisation of this boot, and when the clock has been set
  // by half a second or more; `back` is true if it was set back.
  void OnSet(std::function<void(bool back)> callback) { on_set_ = std::move(callback); }

  // When the last boots began. Lives as long as the watch.
  const ClockHistory& history() const { return history_; }
  // By how much the first synchronisation of this boot corrected the clock; nullopt: the clock is
  // not synchronised yet, or was before the watch was made.
  std::optional<std::chrono::milliseconds> correction() const { return correction_; }

 private:
  void Read();
  void OnTimer();
  std::chrono::milliseconds Offset() const;
  void LogStep(std::chrono::milliseconds step);
  void OnFirstSync(std::chrono::milliseconds offset);
  void Save();

  Store& store_;
  const Clock& clock_;
  const Log& log_;
  ClockHistory history_;
  std::function<void(bool)> on_set_;
  // The epoch of the store that holds the present history; empty: none does.
  std::string saved_in_;
  std::chrono::milliseconds first_offset_;
  std::chrono::milliseconds last_offset_;
  bool was_unsynced_ = false;
  std::optional<std::chrono::milliseconds> correction_;

  LogLimit step_limit_;
  LogLimit save_limit_;
  Metrics::Gauge& synced_;
  Metrics::Gauge& correction_seconds_;
  Metrics::Counter& steps_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace tidegate
