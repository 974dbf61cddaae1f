#include "agent/clock_watch.h"

#include <utility>

#include "core/time_format.h"

namespace tidegate {

namespace {
using std::chrono::milliseconds;

constexpr std::string_view kValueName = "clock";
// The uplink may send a backlog a second after the clock is right, so until then it is polled
// often.
constexpr auto kPollUnsynced = std::chrono::seconds(1);
constexpr auto kPollSynced = std::chrono::seconds(10);
// Slewing moves both clocks alike, so a change of their difference means that the clock was set.
// Smaller changes may come from the time between the two readings.
constexpr milliseconds kSmallestStep{500};
}  // namespace

ClockWatch::ClockWatch(Store& store, Loop& loop, const Clock& clock, const Log& log,
                       Metrics& metrics)
    : store_(store),
      clock_(clock),
      log_(log),
      first_offset_(Offset()),
      last_offset_(first_offset_),
      synced_(metrics.AddGauge("tidegate_clock_synced",
                               "1 if the kernel says that the wall clock is synchronised")),
      correction_seconds_(
          metrics.AddGauge("tidegate_clock_correction_seconds",
                           "By how much the first synchronisation of this boot moved the clock")),
      steps_(metrics.AddCounter("tidegate_clock_steps_total",
                                "How often the wall clock was set by half a second or more")),
      timer_(loop.AddTimer([this] { OnTimer(); })) {
  Read();
  OnTimer();
}

void ClockWatch::Read() {
  const auto text = store_.ReadValue(kValueName);
  if (!text.ok()) return log_.Warning("clock: {}", text.error().message);
  if (!*text) return;
  auto history = ClockHistory::Parse(**text);
  if (!history.ok()) return log_.Warning("clock: {}", history.error().message);
  history_ = *std::move(history);
  saved_in_ = store_.epoch();
}

void ClockWatch::OnTimer() {
  Poll();
  // A store that replaced a damaged one may lack the history.
  if (history_.size() > 0 && saved_in_ != store_.epoch()) Save();
  const bool known = history_.WallAt(clock_.BootId(), milliseconds::zero()).has_value();
  timer_->After(known ? kPollSynced : kPollUnsynced);
}

milliseconds ClockWatch::Offset() const {
  return clock_.Now().time_since_epoch() -
         std::chrono::duration_cast<milliseconds>(clock_.SinceBoot());
}

void ClockWatch::Poll() {
  // In this order: if the clock is synchronised, a later reading is right.
  const bool synced = clock_.Synced();
  const milliseconds offset = Offset();
  const milliseconds step = offset - std::exchange(last_offset_, offset);
  const bool stepped = step <= -kSmallestStep || step >= kSmallestStep;
  synced_.Set(synced ? 1 : 0);
  if (stepped) steps_.Increment();
  if (!synced) was_unsynced_ = true;
  const bool first_sync = synced && history_.Learn(clock_.BootId(), offset);
  if (first_sync) {
    OnFirstSync(offset);
  } else if (stepped) {
    LogStep(step);
  }
  if ((first_sync || stepped) && on_set_) on_set_(step <= -kSmallestStep);
}

void ClockWatch::LogStep(milliseconds step) {
  const WallTime now = clock_.Now();
  if (const auto count = step_limit_.Count(clock_.SinceBoot())) {
    log_.Info("clock: set {} time(s), the last from {} to {}", *count, FormatTime(now - step),
              FormatTime(now));
  }
}

void ClockWatch::OnFirstSync(milliseconds offset) {
  Save();
  if (!was_unsynced_) return;
  correction_ = offset - first_offset_;
  correction_seconds_.Set(std::chrono::duration<double>(*correction_).count());
  const WallTime now = clock_.Now();
  log_.Info("clock: synchronised; what it called {} is {}", FormatTime(now - *correction_),
            FormatTime(now));
}

void ClockWatch::Save() {
  const Status status = store_.WriteValue(kValueName, history_.Text());
  saved_in_ = status.ok() ? store_.epoch() : "";
  if (status.ok()) return;
  if (const auto count = save_limit_.Count(clock_.SinceBoot())) {
    log_.Warning("clock: what was learned of it is not saved after {} attempt(s): {}", *count,
                 status.error().message);
  }
}

}  // namespace tidegate
