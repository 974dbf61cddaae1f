#include "tests/support/poll_loop.h"

#include <poll.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace tidegate {

namespace {
// A predicate may depend on another process: look again at least this often.
constexpr std::chrono::milliseconds kLongestWait{10};

short EventsOf(const WatchSet::Watch& watch) {
  return static_cast<short>((watch.want_readable ? POLLIN : 0) |
                            (watch.want_writable ? POLLOUT : 0));
}

Ready ReadyOf(short events) {
  return {.readable = (events & POLLIN) != 0,
          .writable = (events & POLLOUT) != 0,
          .hung_up = (events & (POLLHUP | POLLERR | POLLNVAL)) != 0};
}
}  // namespace

PollLoop::PollLoop() : timers_([this] { return clock_.SinceBoot(); }) {}

std::unique_ptr<FdWatch> PollLoop::WatchFd(int fd, std::function<void(Ready)> on_ready) {
  return watches_.Add(fd, std::move(on_ready));
}

std::unique_ptr<Timer> PollLoop::AddTimer(std::function<void()> on_expiry) {
  return timers_.Add(std::move(on_expiry));
}

std::unique_ptr<TurnEnd> PollLoop::AddTurnEnd(std::function<void()> on_turn_end) {
  return turn_ends_.Add(std::move(on_turn_end));
}

std::chrono::nanoseconds PollLoop::WaitFor(std::chrono::nanoseconds wait) const {
  if (turn_ends_.pending()) return std::chrono::nanoseconds::zero();
  if (const auto due = timers_.NextDue()) wait = std::min(wait, *due - clock_.SinceBoot());
  return std::max(wait, std::chrono::nanoseconds::zero());
}

void PollLoop::RunOnce(std::chrono::nanoseconds wait) {
  const auto watches = watches_.Alive();
  std::vector<pollfd> fds;
  for (const auto& watch : watches) fds.push_back({watch->fd, EventsOf(*watch), 0});
  const auto limit = WaitFor(wait);
  const timespec timeout{.tv_sec = limit.count() / 1'000'000'000,
                         .tv_nsec = limit.count() % 1'000'000'000};
  if (::ppoll(fds.data(), fds.size(), &timeout, nullptr) > 0) {
    for (size_t i = 0; i < fds.size(); ++i) {
      WatchSet::Deliver(*watches[i], ReadyOf(fds[i].revents));
    }
  }
  // Each armed timer at most once a turn: one that re-arms itself without a delay must not starve
  // the rest.
  for (size_t left = timers_.armed(); left > 0 && timers_.FireOne(); --left) {
  }
  turn_ends_.Run();
}

bool PollLoop::RunUntil(const std::function<bool()>& done, std::chrono::nanoseconds limit) {
  const BootTime deadline = clock_.SinceBoot() + limit;
  while (!done()) {
    const auto left = deadline - clock_.SinceBoot();
    if (left.count() <= 0) return false;
    RunOnce(std::min<std::chrono::nanoseconds>(left, kLongestWait));
  }
  return true;
}

}  // namespace tidegate
