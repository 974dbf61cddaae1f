#include "tests/support/loop_parts.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "core/check.h"

namespace tidegate {

namespace {
template <typename Entries>
void DropDead(Entries& entries) {
  std::erase_if(entries, [](const auto& entry) { return !entry->alive; });
}

class WatchHandle final : public FdWatch {
 public:
  explicit WatchHandle(std::shared_ptr<WatchSet::Watch> watch) : watch_(std::move(watch)) {}
  ~WatchHandle() override { watch_->alive = false; }
  void Want(bool readable, bool writable) override {
    watch_->want_readable = readable;
    watch_->want_writable = writable;
  }

 private:
  std::shared_ptr<WatchSet::Watch> watch_;
};
}  // namespace

std::unique_ptr<FdWatch> WatchSet::Add(int fd, std::function<void(Ready)> on_ready) {
  DropDead(watches_);
  CHECK(std::ranges::none_of(watches_, [fd](const auto& watch) { return watch->fd == fd; }),
        "a file descriptor is watched once");
  watches_.push_back(std::make_shared<Watch>(Watch{.fd = fd, .on_ready = std::move(on_ready)}));
  return std::make_unique<WatchHandle>(watches_.back());
}

std::vector<std::shared_ptr<WatchSet::Watch>> WatchSet::Alive() {
  DropDead(watches_);
  return watches_;
}

bool WatchSet::Deliver(Watch& watch, Ready ready) {
  ready.readable = ready.readable && watch.want_readable;
  ready.writable = ready.writable && watch.want_writable;
  if (!watch.alive || !(ready.readable || ready.writable || ready.hung_up)) return false;
  watch.on_ready(ready);
  return true;
}

class TimerSet::Handle final : public Timer {
 public:
  Handle(std::shared_ptr<Entry> entry, std::function<BootTime()> now,
         std::shared_ptr<uint64_t> armings)
      : entry_(std::move(entry)), now_(std::move(now)), armings_(std::move(armings)) {}
  ~Handle() override {
    entry_->alive = false;
    entry_->due.reset();
  }
  void After(std::chrono::nanoseconds delay) override {
    entry_->due = now_() + std::max(delay, std::chrono::nanoseconds::zero());
    entry_->armed_as = ++*armings_;
  }
  void Cancel() override { entry_->due.reset(); }
  bool armed() const override { return entry_->due.has_value(); }

 private:
  std::shared_ptr<Entry> entry_;
  std::function<BootTime()> now_;
  std::shared_ptr<uint64_t> armings_;
};

std::unique_ptr<Timer> TimerSet::Add(std::function<void()> on_expiry) {
  DropDead(entries_);
  entries_.push_back(std::make_shared<Entry>(Entry{.on_expiry = std::move(on_expiry)}));
  return std::make_unique<Handle>(entries_.back(), now_, armings_);
}

std::shared_ptr<TimerSet::Entry> TimerSet::First() const {
  std::shared_ptr<Entry> first;
  for (const auto& entry : entries_) {
    if (!entry->due) continue;
    if (!first || std::tie(*entry->due, entry->armed_as) < std::tie(*first->due, first->armed_as)) {
      first = entry;
    }
  }
  return first;
}

std::optional<BootTime> TimerSet::NextDue() const {
  const auto first = First();
  return first ? first->due : std::nullopt;
}

bool TimerSet::FireOne() {
  const auto first = First();
  if (!first || *first->due > now_()) return false;
  first->due.reset();
  first->on_expiry();
  DropDead(entries_);
  return true;
}

size_t TimerSet::armed() const {
  return static_cast<size_t>(
      std::ranges::count_if(entries_, [](const auto& entry) { return entry->due.has_value(); }));
}

class TurnEndSet::Handle final : public TurnEnd {
 public:
  explicit Handle(std::shared_ptr<Entry> entry) : entry_(std::move(entry)) {}
  ~Handle() override { entry_->alive = false; }
  void Schedule() override { entry_->scheduled = true; }

 private:
  std::shared_ptr<Entry> entry_;
};

std::unique_ptr<TurnEnd> TurnEndSet::Add(std::function<void()> on_turn_end) {
  DropDead(entries_);
  entries_.push_back(std::make_shared<Entry>(Entry{.on_turn_end = std::move(on_turn_end)}));
  return std::make_unique<Handle>(entries_.back());
}

bool TurnEndSet::pending() const {
  return std::ranges::any_of(entries_,
                             [](const auto& entry) { return entry->alive && entry->scheduled; });
}

void TurnEndSet::Run() {
  std::vector<std::shared_ptr<Entry>> scheduled;
  std::ranges::copy_if(entries_, std::back_inserter(scheduled),
                       [](const auto& entry) { return entry->scheduled; });
  for (const auto& entry : scheduled) entry->scheduled = false;
  for (const auto& entry : scheduled) {
    if (entry->alive) entry->on_turn_end();
  }
  DropDead(entries_);
}

}  // namespace tidegate
