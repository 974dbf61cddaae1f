// A loop that a test steps by hand, on a FakeClock: nothing is called and no time passes unless the
// test makes it. One thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "core/loop/loop.h"
#include "tests/support/fake_clock.h"
#include "tests/support/loop_parts.h"

namespace tidegate {

class ManualLoop final : public Loop {
 public:
  // `clock` outlives the loop.
  explicit ManualLoop(FakeClock& clock);

  std::unique_ptr<FdWatch> WatchFd(int fd, std::function<void(Ready)> on_ready) override;
  std::unique_ptr<Timer> AddTimer(std::function<void()> on_expiry) override;
  std::unique_ptr<TurnEnd> AddTurnEnd(std::function<void()> on_turn_end) override;

  // Ends the turn, then moves the clock: it stops at each timer that becomes due on the way, fires
  // it and ends the turn. A duration of zero fires the timers that are due now.
  void Advance(std::chrono::nanoseconds duration);
  // Runs the turn ends that are scheduled. What they schedule runs in the next turn.
  void EndTurn() { turn_ends_.Run(); }
  // Calls the watch of this fd as if poll(2) had reported `ready`. Returns false if there is no
  // watch, or it wants nothing of that.
  bool Fire(int fd, Ready ready);
  bool FireReadable(int fd) { return Fire(fd, {.readable = true}); }
  bool FireWritable(int fd) { return Fire(fd, {.writable = true}); }

  bool Watching(int fd) { return Find(fd) != nullptr; }
  bool WantsReadable(int fd);
  bool WantsWritable(int fd);
  bool turn_end_pending() const { return turn_ends_.pending(); }
  size_t armed_timers() const { return timers_.armed(); }
  // Returns how long it is until the next timer fires; nullopt if none is armed.
  std::optional<std::chrono::nanoseconds> NextTimer() const;

 private:
  std::shared_ptr<WatchSet::Watch> Find(int fd);

  FakeClock& clock_;
  WatchSet watches_;
  TimerSet timers_;
  TurnEndSet turn_ends_;
};

}  // namespace tidegate
