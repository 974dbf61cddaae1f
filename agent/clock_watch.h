// Watches the wall clock: learns how far it was off when it is first synchronised in this boot,
// keeps that in the store, and tells when the clock is set. The forwarder dates records with what
// it learns. Loop thread only.
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
  // Reads what earlier runs have learned; all references outlive the watch.
  ClockWatch(Store& store, Loop& loop, const Clock& clock, const Log& log, Metrics& metrics);

  // Asks the kernel, which costs less than a microsecond: with each commit, and by a timer.
  void Poll();

  // Called at the first synchronisation of this boot, and when the clock has been set; `back` if it
  // went back.
  void OnSet(std::function<void(bool back)> callback) { on_set_ = std::move(callback); }

  const ClockHistory& history() const { return history_; }
  // By how much the clock has been set right since the watch began, at the first synchronisation of
  // this boot; nullopt: it has not been synchronised, or was before the watch began.
  std::optional<std::chrono::milliseconds> correction() const { return correction_; }

 private:
  void Read();
  void OnTimer();
  std::chrono::milliseconds Offset() const;
  void TellStep(std::chrono::milliseconds step);
  void OnFirstSync(std::chrono::milliseconds offset);
  void Save();

  Store& store_;
  const Clock& clock_;
  const Log& log_;
  ClockHistory history_;
  std::function<void(bool)> on_set_;
  std::string saved_in_;  // The epoch of the store that holds the history as it is.
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
