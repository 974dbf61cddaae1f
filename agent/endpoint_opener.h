// Opens an end at which the agent itself listens (HTTP, the control socket), as often as it takes:
// an address or a folder that is not there yet must not keep records from being stored. Loop thread
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

class EndpointOpener {
 public:
  using Attempt = std::function<Status()>;

  // `name` is named in the log and labels the metrics; `variable` sets where the end is. All
  // references outlive the opener.
  EndpointOpener(std::string name, std::string variable, Attempt attempt, Loop& loop,
                 const Clock& clock, const Log& log, Metrics& metrics, uint64_t seed);

  // Makes an attempt, unless the end is open. After an error that may pass, further attempts follow
  // from the loop.
  void Open();
  // Makes no further attempt.
  void Cancel() { timer_->Cancel(); }

  bool is_open() const { return open_; }
  // Why it is not open, for people; empty: it is, or Open() was not called.
  const std::string& waits_for() const { return waits_for_; }

 private:
  void OnFailure(const Error& error);

  const std::string name_;
  const std::string variable_;
  const Attempt attempt_;
  const Clock& clock_;
  const Log& log_;
  bool open_ = false;
  std::string waits_for_;
  Backoff backoff_;
  LogLimit limit_;
  Metrics::Counter& failures_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace tidegate
