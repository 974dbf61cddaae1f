// The Loop on an sd-event that somebody else owns and runs. Its thread only.
#pragma once

#include <memory>

#include "core/loop/loop.h"

struct sd_event;

namespace tidegate {

class SdEventLoop final : public Loop {
 public:
  // Keeps a reference to `event`.
  explicit SdEventLoop(sd_event* event);
  ~SdEventLoop() override;
  SdEventLoop(const SdEventLoop&) = delete;
  SdEventLoop& operator=(const SdEventLoop&) = delete;

  std::unique_ptr<FdWatch> WatchFd(int fd, std::function<void(Ready)> on_ready) override;
  std::unique_ptr<Timer> AddTimer(std::function<void()> on_expiry) override;
  std::unique_ptr<TurnEnd> AddTurnEnd(std::function<void()> on_turn_end) override;

 private:
  sd_event* event_;
};

}  // namespace tidegate
