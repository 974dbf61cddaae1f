#include "reader/land/intake.h"

#include <algorithm>
#include <utility>

namespace tidegate::reader {

using std::chrono::milliseconds;

Status Intake::Take(milliseconds patience, const std::function<bool(SourceMessage)>& add) {
  while (true) {
    // Poll serves the group; a source that is paused may still have some on their way.
    Result<std::optional<SourceMessage>> polled = source_.Poll(patience);
    if (!polled.ok()) return polled.error();
    if (!*polled || add(**std::move(polled))) return {};
    patience = milliseconds::zero();
  }
}

bool Intake::Due(bool full) const {
  const BootTime now = clock_.SinceBoot();
  if (not_before_) return now >= *not_before_;
  return full || now - began_ >= interval_;
}

milliseconds Intake::UntilDue(milliseconds patience) const {
  const BootTime due = not_before_.value_or(began_ + interval_);
  const auto left = std::chrono::ceil<milliseconds>(due - clock_.SinceBoot());
  return std::clamp(left, milliseconds::zero(), patience);
}

bool Intake::Pause() {
  if (std::exchange(paused_, true)) return false;
  source_.Pause();
  return true;
}

bool Intake::Resume() {
  if (!std::exchange(paused_, false)) return false;
  source_.Resume();
  return true;
}

}  // namespace tidegate::reader
