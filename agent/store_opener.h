// Opens the store, however long that takes: if the disk is not mounted yet, read-only or full for
// now, it tries again instead of ending the agent. Waits use the time since boot. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/backoff.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/loop/loop.h"
#include "core/metrics.h"
#include "core/result.h"

namespace tidegate {

class StoreOpener {
 public:
  // Makes one attempt; it may block for as long as opening takes.
  using Attempt = std::function<Status()>;

  // `place` is named in the log. All references outlive the opener.
  StoreOpener(std::string place, Attempt attempt, Loop& loop, const Clock& clock, const Log& log,
              Metrics& metrics, uint64_t seed);

  // Makes the first attempt. OK: the store is open. Retryable error: further attempts follow until
  // one succeeds or fails for good; then `on_end` is called once, from the loop, with that outcome.
  // Any other error is final, and `on_end` is not called. REQUIRES: called once, with a callback.
  Status Start(std::function<void(const Status&)> on_end);
  // Makes no further attempt.
  void Cancel() { timer_->Cancel(); }

  // The outcome of the last attempt; OK once the store is open.
  const Status& last() const { return last_; }

 private:
  Status Try();
  void OnTimer();

  std::string place_;
  Attempt attempt_;
  const Clock& clock_;
  const Log& log_;
  std::function<void(const Status&)> on_end_;
  Status last_;
  Backoff backoff_;
  LogLimit limit_;
  Metrics::Gauge& open_;
  Metrics::Counter& failures_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace tidegate
