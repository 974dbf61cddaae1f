// A loop on poll(2) and real time, for tests that need real file descriptors. One thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "core/clock.h"
#include "core/loop/loop.h"
#include "tests/support/loop_parts.h"

namespace tidegate {

class PollLoop final : public Loop {
 public:
  PollLoop();

  std::unique_ptr<FdWatch> WatchFd(int fd, std::function<void(Ready)> on_ready) override;
  std::unique_ptr<Timer> AddTimer(std::function<void()> on_expiry) override;
  std::unique_ptr<TurnEnd> AddTurnEnd(std::function<void()> on_turn_end) override;

  // Turns until `done` holds, which is asked between turns, or `limit` has passed. Returns whether
  // it holds.
  bool RunUntil(const std::function<bool()>& done,
                std::chrono::nanoseconds limit = std::chrono::seconds(10));
  // One turn: waits for the first event, at most `wait`; serves watches, then timers, then turn
  // ends.
  void RunOnce(std::chrono::nanoseconds wait = std::chrono::nanoseconds::zero());

 private:
  std::chrono::nanoseconds WaitFor(std::chrono::nanoseconds wait) const;

  SystemClock clock_;
  WatchSet watches_;
  TimerSet timers_;
  TurnEndSet turn_ends_;
};

}  // namespace tidegate
