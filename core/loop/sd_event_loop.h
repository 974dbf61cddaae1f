// The Loop on sd-event: on an event of its own, which Run() serves, or on one that a host program
// owns and runs. Every call and every callback is on the thread that runs the event.
//
// Known limit: where the process has run out of memory, file descriptors or epoll watches, or epoll
// cannot watch the file (epoll_ctl(2)), a handle is returned all the same, and its callback never
// runs.
#pragma once

#include <memory>

#include "core/loop/loop.h"
#include "core/result.h"

struct sd_event;

namespace tidegate {

class SdEventLoop final : public Loop {
 public:
  // Makes a loop with an event of its own. kUnavailable: no memory or file descriptors are left.
  static Result<std::unique_ptr<SdEventLoop>> Make();
  // Makes a loop on `event`, keeps a reference to it, and leaves running it to the caller.
  explicit SdEventLoop(sd_event* event);
  ~SdEventLoop() override;
  SdEventLoop(const SdEventLoop&) = delete;
  SdEventLoop& operator=(const SdEventLoop&) = delete;

  std::unique_ptr<FdWatch> WatchFd(int fd, std::function<void(Ready)> on_ready) override;
  std::unique_ptr<Timer> AddTimer(std::function<void()> on_expiry) override;
  std::unique_ptr<TurnEnd> AddTurnEnd(std::function<void()> on_turn_end) override;

  // Waits for events and serves them until Stop() has been called, before or from a callback.
  // kUnavailable: the kernel refuses to wait.
  Status Run();
  void Stop() { stopped_ = true; }

 private:
  sd_event* event_;
  bool stopped_ = false;
};

}  // namespace tidegate
