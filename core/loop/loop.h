// The event loop as modules see it: file descriptors, timers, and work for the end of a turn.
// Everything runs on the thread of the loop. sd-event implements it in agent/; tests step a loop of
// their own. No call here waits.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace tidegate {

struct Ready {
  bool readable = false;
  bool writable = false;
  bool hung_up = false;  // Error or hang-up; read() tells which.
};

// Destroying any of these handles ends its callbacks, also from inside its own callback.
class FdWatch {
 public:
  virtual ~FdWatch() = default;
  // Level-triggered. Hang-ups are always reported.
  virtual void Want(bool readable, bool writable) = 0;
};

class Timer {
 public:
  virtual ~Timer() = default;
  // Fires once after `delay` of boot time; arming again replaces the earlier arming.
  virtual void After(std::chrono::nanoseconds delay) = 0;
  virtual void Cancel() = 0;
  virtual bool armed() const = 0;
};

class TurnEnd {
 public:
  virtual ~TurnEnd() = default;
  // Runs the callback once, after all sources that are ready in this turn have been served. Asking
  // twice is asking once.
  virtual void Schedule() = 0;
};

class Loop {
 public:
  virtual ~Loop() = default;
  // Watches for reading until Want() says otherwise. The fd stays the caller's, who destroys the
  // watch before closing it.
  virtual std::unique_ptr<FdWatch> WatchFd(int fd, std::function<void(Ready)> on_ready) = 0;
  virtual std::unique_ptr<Timer> AddTimer(std::function<void()> on_expiry) = 0;
  virtual std::unique_ptr<TurnEnd> AddTurnEnd(std::function<void()> on_turn_end) = 0;
};

}  // namespace tidegate
