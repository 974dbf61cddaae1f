#include "core/loop/sd_event_loop.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/check.h"
#include "core/loop/sd_event_handle.h"

namespace tidegate {

namespace {

// Passes the errors that come from outside: no memory, descriptors or epoll watches left, a file
// that epoll cannot watch, an event that has ended. The handle then exists without a source, and
// sd-event ignores every call on it.
void CheckAdded(int error) {
  CHECK(error != -EBADF, "a watched file descriptor is open");
  CHECK(error != -EEXIST, "a file descriptor is watched once");
  CHECK(error != -EINVAL, "sd-event accepts the arguments of a source");
}

// A callback may destroy the object that holds it, so it runs from a copy.
class SdFdWatch final : public FdWatch {
 public:
  SdFdWatch(sd_event* event, int fd, std::function<void(Ready)> on_ready)
      : on_ready_(std::make_shared<std::function<void(Ready)>>(std::move(on_ready))) {
    sd_event_source* source = nullptr;
    const int error = sd_event_add_io(event, &source, fd, EPOLLIN, &SdFdWatch::Dispatch, this);
    source_.reset(source);
    CheckAdded(error);
  }
  void Want(bool readable, bool writable) override {
    const uint32_t events = (readable ? EPOLLIN : 0U) | (writable ? EPOLLOUT : 0U);
    sd_event_source_set_io_events(source_.get(), events);
  }

 private:
  static int Dispatch(sd_event_source*, int, uint32_t events, void* self) {
    const auto on_ready = static_cast<SdFdWatch*>(self)->on_ready_;
    (*on_ready)(Ready{.readable = (events & EPOLLIN) != 0,
                      .writable = (events & EPOLLOUT) != 0,
                      .hung_up = (events & (EPOLLHUP | EPOLLERR)) != 0});
    return 0;
  }

  std::shared_ptr<std::function<void(Ready)>> on_ready_;
  EventSourceHandle source_;
};

class SdTimer final : public Timer {
 public:
  SdTimer(sd_event* event, std::function<void()> on_expiry)
      : on_expiry_(std::make_shared<std::function<void()>>(std::move(on_expiry))) {
    sd_event_source* source = nullptr;
    // Accuracy 1 ms: sd-event's default of 250 ms would double the commit interval.
    const int error =
        sd_event_add_time(event, &source, CLOCK_BOOTTIME, 0, 1000, &SdTimer::Dispatch, this);
    source_.reset(source);
    CheckAdded(error);
    Cancel();
  }
  void After(std::chrono::nanoseconds delay) override {
    const auto microseconds = std::chrono::ceil<std::chrono::microseconds>(delay).count();
    sd_event_source_set_time_relative(source_.get(),
                                      static_cast<uint64_t>(std::max<int64_t>(microseconds, 0)));
    sd_event_source_set_enabled(source_.get(), SD_EVENT_ONESHOT);
  }
  void Cancel() override { sd_event_source_set_enabled(source_.get(), SD_EVENT_OFF); }
  bool armed() const override { return sd_event_source_get_enabled(source_.get(), nullptr) > 0; }

 private:
  static int Dispatch(sd_event_source*, uint64_t, void* self) {
    const auto on_expiry = static_cast<SdTimer*>(self)->on_expiry_;
    (*on_expiry)();
    return 0;
  }

  std::shared_ptr<std::function<void()>> on_expiry_;
  EventSourceHandle source_;
};

// A deferred source of ordinary priority. sd-event serves equal priorities in the order in which
// they became pending, and a deferred source is pending from its creation: once enabled it runs
// next, so that a flood on one fd cannot postpone it.
class SdTurnEnd final : public TurnEnd {
 public:
  SdTurnEnd(sd_event* event, std::function<void()> on_turn_end)
      : on_turn_end_(std::make_shared<std::function<void()>>(std::move(on_turn_end))) {
    sd_event_source* source = nullptr;
    const int error = sd_event_add_defer(event, &source, &SdTurnEnd::Dispatch, this);
    source_.reset(source);
    CheckAdded(error);
    sd_event_source_set_enabled(source_.get(), SD_EVENT_OFF);
  }
  void Schedule() override { sd_event_source_set_enabled(source_.get(), SD_EVENT_ONESHOT); }

 private:
  static int Dispatch(sd_event_source*, void* self) {
    const auto on_turn_end = static_cast<SdTurnEnd*>(self)->on_turn_end_;
    (*on_turn_end)();
    return 0;
  }

  std::shared_ptr<std::function<void()>> on_turn_end_;
  EventSourceHandle source_;
};

}  // namespace

Result<std::unique_ptr<SdEventLoop>> SdEventLoop::Make() {
  sd_event* raw = nullptr;
  const int error = sd_event_new(&raw);
  const EventHandle event(raw);
  if (error < 0) {
    return Error{ErrorCode::kUnavailable,
                 fmt::format("create event loop: {}", std::strerror(-error))};
  }
  return std::make_unique<SdEventLoop>(event.get());
}

SdEventLoop::SdEventLoop(sd_event* event) : event_(sd_event_ref(event)) {
  CHECK(event != nullptr, "the loop has an event");
}
SdEventLoop::~SdEventLoop() {
  sd_event_unref(event_);
}

Status SdEventLoop::Run() {
  while (!stopped_) {
    const int error = sd_event_run(event_, UINT64_MAX);
    if (error < 0) {
      return Error{ErrorCode::kUnavailable,
                   fmt::format("run event loop: {}", std::strerror(-error))};
    }
  }
  return {};
}

std::unique_ptr<FdWatch> SdEventLoop::WatchFd(int fd, std::function<void(Ready)> on_ready) {
  return std::make_unique<SdFdWatch>(event_, fd, std::move(on_ready));
}
std::unique_ptr<Timer> SdEventLoop::AddTimer(std::function<void()> on_expiry) {
  return std::make_unique<SdTimer>(event_, std::move(on_expiry));
}
std::unique_ptr<TurnEnd> SdEventLoop::AddTurnEnd(std::function<void()> on_turn_end) {
  return std::make_unique<SdTurnEnd>(event_, std::move(on_turn_end));
}

}  // namespace tidegate
