// What the loops for tests are made of: sets of watches, timers and turn ends whose handles may be
// destroyed at any moment, also inside their own callback and after the loop. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/clock.h"
#include "core/loop/loop.h"

namespace tidegate {

class WatchSet {
 public:
  struct Watch {
    int fd;
    std::function<void(Ready)> on_ready;
    bool alive = true;
    bool want_readable = true;
    bool want_writable = false;
  };

  std::unique_ptr<FdWatch> Add(int fd, std::function<void(Ready)> on_ready);
  // The watches of now; one that dies while the caller walks the list says so in `alive`.
  std::vector<std::shared_ptr<Watch>> Alive();
  // Calls back if the watch is alive and wants any of it, or if it is a hang-up.
  static bool Deliver(Watch& watch, Ready ready);

 private:
  std::vector<std::shared_ptr<Watch>> watches_;
};

class TimerSet {
 public:
  explicit TimerSet(std::function<BootTime()> now) : now_(std::move(now)) {}

  std::unique_ptr<Timer> Add(std::function<void()> on_expiry);
  std::optional<BootTime> NextDue() const;
  // Fires the timer that is due first (of equals the one armed first), if it is due by now. Returns
  // whether it did.
  bool FireOne();
  size_t armed() const;

 private:
  class Handle;
  struct Entry {
    std::function<void()> on_expiry;
    bool alive = true;
    std::optional<BootTime> due = std::nullopt;
    uint64_t armed_as = 0;
  };

  std::shared_ptr<Entry> First() const;

  std::function<BootTime()> now_;
  std::vector<std::shared_ptr<Entry>> entries_;
  std::shared_ptr<uint64_t> armings_ = std::make_shared<uint64_t>(0);
};

class TurnEndSet {
 public:
  std::unique_ptr<TurnEnd> Add(std::function<void()> on_turn_end);
  bool pending() const;
  // Runs what is scheduled now; what a callback schedules is for the next turn.
  void Run();

 private:
  class Handle;
  struct Entry {
    std::function<void()> on_turn_end;
    bool alive = true;
    bool scheduled = false;
  };

  std::vector<std::shared_ptr<Entry>> entries_;
};

}  // namespace tidegate
