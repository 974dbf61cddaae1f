// The loop of the main thread, on poll(2): a few file descriptors and timers. One thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "core/clock.h"
#include "core/loop/loop.h"

namespace tidegate::reader {

class PollLoop final : public Loop {
 public:
  explicit PollLoop(const Clock& clock);
  ~PollLoop() override;

  std::unique_ptr<FdWatch> WatchFd(int fd, std::function<void(Ready)> on_ready) override;
  std::unique_ptr<Timer> AddTimer(std::function<void()> on_expiry) override;
  std::unique_ptr<TurnEnd> AddTurnEnd(std::function<void()> on_turn_end) override;

  // Turns until Stop() is called from a callback.
  void Run();
  void Stop() { stopped_ = true; }
  // Waits for the first event, at most `wait`; serves descriptors, then timers, then turn ends.
  void RunOnce(std::chrono::milliseconds wait);

 private:
  // What a handle and the loop share. The handle's destructor marks it dead; the loop forgets it on
  // its next turn.
  struct Watch;
  struct TimerState;
  struct TurnEndState;
  class WatchHandle;
  class TimerHandle;
  class TurnEndHandle;

  void ServeWatches(std::chrono::milliseconds wait);
  void ServeTimers();
  void ServeTurnEnds();
  std::chrono::milliseconds UntilNextTimer(std::chrono::milliseconds wait) const;

  const Clock& clock_;
  std::vector<std::shared_ptr<Watch>> watches_;
  std::vector<std::shared_ptr<TimerState>> timers_;
  std::vector<std::shared_ptr<TurnEndState>> turn_ends_;
  bool stopped_ = false;
};

}  // namespace tidegate::reader
