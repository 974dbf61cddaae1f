#include "agent/endpoint_opener.h"

#include <utility>

#include "core/check.h"

namespace tidegate {

namespace {

using std::chrono_literals::operator""s;

// Nobody has to restart the agent once the interface is up.
constexpr Backoff::Options kEndpointWaits{.initial = 1s, .max = 30s};

}  // namespace

EndpointOpener::EndpointOpener(std::string name, std::string variable, Attempt attempt, Loop& loop,
                               const Clock& clock, const Log& log, Metrics& metrics, uint64_t seed)
    : name_(std::move(name)),
      variable_(std::move(variable)),
      attempt_(std::move(attempt)),
      clock_(clock),
      log_(log),
      backoff_(kEndpointWaits, seed),
      failures_(
          metrics.AddCounter("tidegate_endpoint_failures_total",
                             "Attempts to listen for HTTP or on the control socket that failed",
                             {{"endpoint", name_}})),
      timer_(loop.AddTimer([this] { Open(); })) {
  CHECK(attempt_ != nullptr, "an end is opened by an attempt");
}

void EndpointOpener::Open() {
  if (open_) return;
  const Status status = attempt_();
  if (!status.ok()) return OnFailure(status.error());
  if (!waits_for_.empty()) log_.Info("{}: it listens now", name_);
  open_ = true;
  waits_for_.clear();
}

void EndpointOpener::OnFailure(const Error& error) {
  failures_.Increment();
  waits_for_ = error.message;
  if (const auto count = limit_.Count(clock_.SinceBoot())) {
    log_.Warning(
        "{}: {}; records are stored and sent without it, and it is tried again every 30 s or "
        "sooner ({} attempt(s) failed). {} sets another place",
        name_, error.message, *count, variable_);
  }
  timer_->After(backoff_.Next());
}

}  // namespace tidegate
