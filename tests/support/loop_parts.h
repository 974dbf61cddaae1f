// The parts of the tests' loops: sets of watches, timers and turn ends. Their handles may be
// destroyed at any moment, even inside of their own callback or after the loop. One thread.
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

  // REQUIRES: `fd` is not watched in this set.
  std::unique_ptr<FdWatch> Add(int fd, std::function<void(Ready)> on_ready);
  // Returns the watches that exist now. One that is destroyed while the caller walks the list sets
  // its `alive` to false.
  std::vector<std::shared_ptr<Watch>> Alive();
  // Calls the watch if it is alive and `ready` has something that it wants, or a hang-up. Returns
  // whether it did.
  static bool Deliver(Watch& watch, Ready ready);

 private:
  std::vector<std::shared_ptr<Watch>> watches_;
};

class TimerSet {
 public:
  explicit TimerSet(std::function<BootTime()> now) : now_(std::move(now)) {}

  std::unique_ptr<Timer> Add(std::function<void()> on_expiry);
  std::optional<BootTime> NextDue() const;
  // Fires the timer that is due first, the one that was armed first among equals, unless its time
  // is still to come. Returns whether it fired one.
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
  // Runs the turn ends that are scheduled now. What a callback schedules runs in the next turn.
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
