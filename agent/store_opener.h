// Opens the store, however long that takes: a disk that is not mounted yet, read-only or full for
// now is tried again instead of ending the agent. The waits are on the time since boot. Loop thread
// only.
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
  // One attempt. It may block for as long as opening takes.
  using Attempt = std::function<Status()>;

  // `place` is named in the log. All references outlive the opener.
  StoreOpener(std::string place, Attempt attempt, Loop& loop, const Clock& clock, const Log& log,
              Metrics& metrics, uint64_t seed);

  // Makes the first attempt. OK: the store is open. A retryable error: it is tried again until it
  // opens or fails for good, and `on_end` is called once, from the loop, with that outcome. Any
  // other error is final. REQUIRES: called once.
  Status Start(std::function<void(const Status&)> on_end);
  // Makes no further attempt.
  void Cancel() { timer_->Cancel(); }

  // What the last attempt said; OK once the store is open.
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
