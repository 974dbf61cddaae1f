// The event loop as modules see it: file descriptors, timers, and work for the end of a turn. All
// calls and callbacks are on the loop's thread, and no call waits. Programs run SdEventLoop; tests
// step a ManualLoop or a PollLoop (tests/support).
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace tidegate {

struct Ready {
  bool readable = false;
  bool writable = false;
  // An error or a hang-up; read(2) returns which.
  bool hung_up = false;
};

// Destroying a handle of these three kinds ends its callbacks, even from inside of its own
// callback. A handle may outlive its loop; it is then without effect.
class FdWatch {
 public:
  virtual ~FdWatch() = default;
  // Selects what is reported, level-triggered. Hang-ups are reported in any case.
  virtual void Want(bool readable, bool writable) = 0;
};

class Timer {
 public:
  virtual ~Timer() = default;
  // Fires once when `delay` of boot time has passed; a negative delay counts as zero. Arming again
  // replaces the earlier arming.
  virtual void After(std::chrono::nanoseconds delay) = 0;
  virtual void Cancel() = 0;
  // False from the moment the timer fires, so already in its callback.
  virtual bool armed() const = 0;
};

class TurnEnd {
 public:
  virtual ~TurnEnd() = default;
  // Runs the callback once, when the callback that is running has returned. Sources that are ready
  // may be served before it, but cannot postpone it for ever. Until it runs, further calls change
  // nothing.
  virtual void Schedule() = 0;
};

class Loop {
 public:
  virtual ~Loop() = default;
  // Watches `fd` for reading until Want() selects otherwise. The caller keeps owning the fd, and
  // destroys the watch before closing it. REQUIRES: `fd` is open and has no other watch on the
  // loop.
  virtual std::unique_ptr<FdWatch> WatchFd(int fd, std::function<void(Ready)> on_ready) = 0;
  // Returns a timer that is not armed.
  virtual std::unique_ptr<Timer> AddTimer(std::function<void()> on_expiry) = 0;
  // Returns a turn end that is not scheduled.
  virtual std::unique_ptr<TurnEnd> AddTurnEnd(std::function<void()> on_turn_end) = 0;
};

}  // namespace tidegate
