#include "tests/support/manual_loop.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace tidegate {

namespace {
// A timer that re-arms itself with a delay of zero would otherwise hang the test.
constexpr int kMostAtOneInstant = 100'000;
}  // namespace

ManualLoop::ManualLoop(FakeClock& clock)
    : clock_(clock), timers_([&clock] { return clock.SinceBoot(); }) {}

std::unique_ptr<FdWatch> ManualLoop::WatchFd(int fd, std::function<void(Ready)> on_ready) {
  return watches_.Add(fd, std::move(on_ready));
}

std::unique_ptr<Timer> ManualLoop::AddTimer(std::function<void()> on_expiry) {
  return timers_.Add(std::move(on_expiry));
}

std::unique_ptr<TurnEnd> ManualLoop::AddTurnEnd(std::function<void()> on_turn_end) {
  return turn_ends_.Add(std::move(on_turn_end));
}

void ManualLoop::Advance(std::chrono::nanoseconds duration) {
  const BootTime target = clock_.SinceBoot() + duration;
  EndTurn();
  int at_this_instant = 0;
  for (auto due = timers_.NextDue(); due && *due <= target; due = timers_.NextDue()) {
    const auto step = std::max(*due - clock_.SinceBoot(), BootTime::zero());
    at_this_instant = step.count() == 0 ? at_this_instant + 1 : 0;
    if (at_this_instant > kMostAtOneInstant) {
      std::fprintf(stderr, "ManualLoop: a timer re-arms itself without a delay\n");
      std::abort();
    }
    clock_.Advance(step);
    timers_.FireOne();
    EndTurn();
  }
  clock_.Advance(target - clock_.SinceBoot());
}

std::shared_ptr<WatchSet::Watch> ManualLoop::Find(int fd) {
  for (auto& watch : watches_.Alive()) {
    if (watch->fd == fd) return watch;
  }
  return nullptr;
}

bool ManualLoop::Fire(int fd, Ready ready) {
  const auto watch = Find(fd);
  return watch && WatchSet::Deliver(*watch, ready);
}

bool ManualLoop::WantsReadable(int fd) {
  const auto watch = Find(fd);
  return watch && watch->want_readable;
}

bool ManualLoop::WantsWritable(int fd) {
  const auto watch = Find(fd);
  return watch && watch->want_writable;
}

std::optional<std::chrono::nanoseconds> ManualLoop::NextTimer() const {
  const auto due = timers_.NextDue();
  if (!due) return std::nullopt;
  return std::max(*due - clock_.SinceBoot(), BootTime::zero());
}

}  // namespace tidegate
