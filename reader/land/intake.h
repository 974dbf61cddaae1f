// What a member takes from its source, and when what it has in hand is due. One thread.
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
  // A batch is due `interval` after its first message. Both must outlive the intake.
  Intake(Source& source, const Clock& clock, std::chrono::milliseconds interval)
      : source_(source), clock_(clock), interval_(interval) {}

  // Hands out messages, the first of which it waits for at most `patience`, until there is none or
  // `add` returns true: it has enough. Errors as Source::Poll.
  Status Take(std::chrono::milliseconds patience, const std::function<bool(SourceMessage)>& add);

  // Of a batch that is not empty.
  void Begin() { began_ = clock_.SinceBoot(); }
  void WaitUntil(BootTime time) { not_before_ = time; }
  void WaitNoMore() { not_before_.reset(); }
  bool waits() const { return not_before_.has_value(); }
  bool Due(bool full) const;
  // How long to wait for a message until then.
  std::chrono::milliseconds UntilDue(std::chrono::milliseconds patience) const;

  // False: it was so already.
  bool Pause();
  bool Resume();
  bool paused() const { return paused_; }

 private:
  Source& source_;
  const Clock& clock_;
  const std::chrono::milliseconds interval_;
  BootTime began_{};
  std::optional<BootTime> not_before_;  // Of the next attempt; whether it is full does not count.
  bool paused_ = false;
};

}  // namespace tidegate::reader
