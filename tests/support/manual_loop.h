// A loop that a test steps by hand, on a FakeClock: nothing happens, and no time passes, unless the
// test says so. One thread.
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

  // Ends the turn, then lets time pass: the clock stops at each timer that falls due on the way,
  // fires it and ends the turn. Zero fires what is due now.
  void Advance(std::chrono::nanoseconds duration);
  // Runs the turn ends that are scheduled; what they schedule is for the next turn.
  void EndTurn() { turn_ends_.Run(); }
  // Calls the watch of this fd as if poll(2) had said so. False if there is none, or it does not
  // want that.
  bool Fire(int fd, Ready ready);
  bool FireReadable(int fd) { return Fire(fd, {.readable = true}); }
  bool FireWritable(int fd) { return Fire(fd, {.writable = true}); }

  bool Watching(int fd) { return Find(fd) != nullptr; }
  bool WantsReadable(int fd);
  bool WantsWritable(int fd);
  bool turn_end_pending() const { return turn_ends_.pending(); }
  size_t armed_timers() const { return timers_.armed(); }
  // How long until the next timer fires; nullopt if none is armed.
  std::optional<std::chrono::nanoseconds> NextTimer() const;

 private:
  std::shared_ptr<WatchSet::Watch> Find(int fd);

  FakeClock& clock_;
  WatchSet watches_;
  TimerSet timers_;
  TurnEndSet turn_ends_;
};

}  // namespace tidegate
