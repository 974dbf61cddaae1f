#include "reader/land/poll_loop.h"

#include <poll.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

constexpr milliseconds kLongestWait{60'000};

template <typename State>
void ForgetDead(std::vector<std::shared_ptr<State>>& states) {
  std::erase_if(states, [](const auto& state) { return state->dead; });
}
}  // namespace

struct PollLoop::Watch {
  int fd;
  std::function<void(Ready)> on_ready;
  short events = POLLIN;
  bool dead = false;
};
struct PollLoop::TimerState {
  std::function<void()> on_expiry;
  std::optional<BootTime> due = std::nullopt;
  bool dead = false;
};
struct PollLoop::TurnEndState {
  std::function<void()> on_turn_end;
  bool scheduled = false;
  bool dead = false;
};

class PollLoop::WatchHandle final : public FdWatch {
 public:
  explicit WatchHandle(std::shared_ptr<Watch> watch) : watch_(std::move(watch)) {}
  ~WatchHandle() override { watch_->dead = true; }
  void Want(bool readable, bool writable) override {
    watch_->events = static_cast<short>((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
  }

 private:
  std::shared_ptr<Watch> watch_;
};

class PollLoop::TimerHandle final : public Timer {
 public:
  TimerHandle(std::shared_ptr<TimerState> timer, const Clock& clock)
      : timer_(std::move(timer)), clock_(clock) {}
  ~TimerHandle() override { timer_->dead = true; }
  void After(std::chrono::nanoseconds delay) override { timer_->due = clock_.SinceBoot() + delay; }
  void Cancel() override { timer_->due.reset(); }
  bool armed() const override { return timer_->due.has_value(); }

 private:
  std::shared_ptr<TimerState> timer_;
  const Clock& clock_;
};

class PollLoop::TurnEndHandle final : public TurnEnd {
 public:
  explicit TurnEndHandle(std::shared_ptr<TurnEndState> state) : state_(std::move(state)) {}
  ~TurnEndHandle() override { state_->dead = true; }
  void Schedule() override { state_->scheduled = true; }

 private:
  std::shared_ptr<TurnEndState> state_;
};

PollLoop::PollLoop(const Clock& clock) : clock_(clock) {}
PollLoop::~PollLoop() = default;

std::unique_ptr<FdWatch> PollLoop::WatchFd(int fd, std::function<void(Ready)> on_ready) {
  watches_.push_back(std::make_shared<Watch>(Watch{fd, std::move(on_ready)}));
  return std::make_unique<WatchHandle>(watches_.back());
}

std::unique_ptr<Timer> PollLoop::AddTimer(std::function<void()> on_expiry) {
  timers_.push_back(std::make_shared<TimerState>(TimerState{std::move(on_expiry)}));
  return std::make_unique<TimerHandle>(timers_.back(), clock_);
}

std::unique_ptr<TurnEnd> PollLoop::AddTurnEnd(std::function<void()> on_turn_end) {
  turn_ends_.push_back(std::make_shared<TurnEndState>(TurnEndState{std::move(on_turn_end)}));
  return std::make_unique<TurnEndHandle>(turn_ends_.back());
}

void PollLoop::Run() {
  while (!stopped_) RunOnce(kLongestWait);
}

void PollLoop::RunOnce(milliseconds wait) {
  ServeWatches(UntilNextTimer(wait));
  ServeTimers();
  ServeTurnEnds();
}

milliseconds PollLoop::UntilNextTimer(milliseconds wait) const {
  const BootTime now = clock_.SinceBoot();
  for (const auto& timer : timers_) {
    if (timer->dead || !timer->due) continue;
    wait = std::min(
        wait, std::max(std::chrono::ceil<milliseconds>(*timer->due - now), milliseconds::zero()));
  }
  const bool work =
      std::ranges::any_of(turn_ends_, [](const auto& end) { return end->scheduled && !end->dead; });
  return work ? milliseconds::zero() : wait;
}

void PollLoop::ServeWatches(milliseconds wait) {
  ForgetDead(watches_);
  const auto watches = watches_;  // Callbacks may add and end watches.
  std::vector<pollfd> fds;
  for (const auto& watch : watches)
    fds.push_back({.fd = watch->fd, .events = watch->events, .revents = 0});
  if (::poll(fds.data(), fds.size(), static_cast<int>(wait.count())) <= 0) return;
  for (size_t i = 0; i < fds.size(); ++i) {
    const short got = fds[i].revents;
    if (got == 0 || watches[i]->dead) continue;
    watches[i]->on_ready({.readable = (got & POLLIN) != 0,
                          .writable = (got & POLLOUT) != 0,
                          .hung_up = (got & (POLLHUP | POLLERR | POLLNVAL)) != 0});
  }
}

void PollLoop::ServeTimers() {
  ForgetDead(timers_);
  const auto timers = timers_;
  const BootTime now = clock_.SinceBoot();
  for (const auto& timer : timers) {
    if (timer->dead || !timer->due || *timer->due > now) continue;
    timer->due.reset();
    timer->on_expiry();
  }
}

void PollLoop::ServeTurnEnds() {
  ForgetDead(turn_ends_);
  const auto turn_ends = turn_ends_;
  for (const auto& end : turn_ends) {
    if (!end->dead && std::exchange(end->scheduled, false)) end->on_turn_end();
  }
}

}  // namespace tidegate::reader
