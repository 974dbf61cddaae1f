#include "reader/land/intake.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate::reader {

using std::chrono::milliseconds;

Status Intake::Take(milliseconds patience, const std::function<bool(SourceMessage)>& add) {
  CHECK(patience >= milliseconds::zero(), "a wait is not negative");
  while (true) {
    // Poll serves the group too, and a source that is paused may still return messages that were
    // fetched before.
    Result<std::optional<SourceMessage>> polled = source_.Poll(patience);
    if (!polled.ok()) return polled.error();
    if (!*polled || add(**std::move(polled))) return {};
    patience = milliseconds::zero();
  }
}

bool Intake::Due(bool full) const {
  CHECK(began_, "a batch that is due has begun");
  const BootTime now = clock_.SinceBoot();
  if (not_before_) return now >= *not_before_;
  return full || now - *began_ >= interval_;
}

milliseconds Intake::UntilDue(milliseconds patience) const {
  CHECK(began_, "a batch that is due has begun");
  CHECK(patience >= milliseconds::zero(), "a wait is not negative");
  const BootTime due = not_before_.value_or(*began_ + interval_);
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
