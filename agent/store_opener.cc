#include "agent/store_opener.h"

#include <utility>

#include "core/check.h"

namespace tidegate {

namespace {

using std::chrono_literals::operator""s;

// Short enough that nobody has to restart the agent once the disk is right.
constexpr Backoff::Options kWaits{.initial = 1s, .max = 30s};

}  // namespace

StoreOpener::StoreOpener(std::string place, Attempt attempt, Loop& loop, const Clock& clock,
                         const Log& log, Metrics& metrics, uint64_t seed)
    : place_(std::move(place)),
      attempt_(std::move(attempt)),
      clock_(clock),
      log_(log),
      backoff_(kWaits, seed),
      open_(metrics.AddGauge("tidegate_store_open",
                             "0 while the store cannot be opened: nothing is read then")),
      failures_(metrics.AddCounter("tidegate_store_open_failures_total",
                                   "Attempts to open the store that failed")),
      timer_(loop.AddTimer([this] { OnTimer(); })) {}

Status StoreOpener::Start(std::function<void(const Status&)> on_end) {
  CHECK(on_end && !on_end_, "the store is opened once, for a caller that hears of it");
  on_end_ = std::move(on_end);
  return Try();
}

Status StoreOpener::Try() {
  last_ = attempt_();
  open_.Set(last_.ok() ? 1 : 0);
  if (last_.ok()) return last_;
  failures_.Increment();
  if (!last_.error().retryable()) return last_;
  if (const auto count = limit_.Count(clock_.SinceBoot())) {
    log_.Error(
        "store: {}; nothing is read from the inputs until it opens. Is {} mounted, writable by the "
        "agent and not full? It is tried again every 30 s or sooner ({} attempt(s) failed)",
        last_.error().message, place_, *count);
  }
  timer_->After(backoff_.Next());
  return last_;
}

void StoreOpener::OnTimer() {
  const Status status = Try();
  if (!status.ok() && status.error().retryable()) return;
  if (status.ok()) log_.Info("store: it opens now");
  std::exchange(on_end_, {})(status);
}

}  // namespace tidegate
