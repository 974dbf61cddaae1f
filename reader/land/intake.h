// Polls messages for a member until it has enough, knows when the member's batch is due, and pauses
// the partitions while the batch waits. One thread.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "core/clock.h"
#include "core/result.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

class Intake {
 public:
  // A batch is due `interval` after its first message. Both references must outlive the intake.
  Intake(Source& source, const Clock& clock, std::chrono::milliseconds interval)
      : source_(source), clock_(clock), interval_(interval) {}

  // Passes messages to `add` until the source has none or `add` returns true, which means that it
  // has enough. Waits for the first one at most `patience`. REQUIRES: `patience` is not negative.
  // Errors as Source::Poll.
  Status Take(std::chrono::milliseconds patience, const std::function<bool(SourceMessage)>& add);

  // The member has just begun a batch.
  void Begin() { began_ = clock_.SinceBoot(); }
  // The next attempt is due at that time, however full the batch is.
  void WaitUntil(BootTime time) { not_before_ = time; }
  void WaitNoMore() { not_before_.reset(); }
  bool waits() const { return not_before_.has_value(); }
  // True if the batch is to be written now. REQUIRES: Begin().
  bool Due(bool full) const;
  // The time until then, for which to wait for a message: from 0 to `patience`. REQUIRES: Begin(),
  // and `patience` is not negative.
  std::chrono::milliseconds UntilDue(std::chrono::milliseconds patience) const;

  // Pauses or resumes the partitions; returns false if they were paused, or not paused, already.
  bool Pause();
  bool Resume();
  bool paused() const { return paused_; }

 private:
  Source& source_;
  const Clock& clock_;
  const std::chrono::milliseconds interval_;
  // When the batch began; no value before the first one.
  std::optional<BootTime> began_;
  // When the next attempt is due; no value while `began_` decides.
  std::optional<BootTime> not_before_;
  bool paused_ = false;
};

}  // namespace tidegate::reader
