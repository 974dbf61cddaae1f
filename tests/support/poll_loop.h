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

  // Runs turns until `done`, which is called between turns, returns true or `limit` has passed.
  // Returns the last answer.
  bool RunUntil(const std::function<bool()>& done,
                std::chrono::nanoseconds limit = std::chrono::seconds(10));
  // Runs one turn: waits at most `wait` for the first event, then serves watches, timers and turn
  // ends, in this order.
  void RunOnce(std::chrono::nanoseconds wait = std::chrono::nanoseconds::zero());

 private:
  std::chrono::nanoseconds WaitFor(std::chrono::nanoseconds wait) const;

  SystemClock clock_;
  WatchSet watches_;
  TimerSet timers_;
  TurnEndSet turn_ends_;
};

}  // namespace tidegate
