#include "uplink/link_state.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tidegate {

Result<std::shared_ptr<LinkState>> LinkState::Create() {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) {
    return Error{ErrorCode::kUnavailable, fmt::format("create eventfd: {}", std::strerror(errno))};
  }
  return std::shared_ptr<LinkState>(new LinkState(fd));
}

LinkState::~LinkState() {
  close(fd_);
}

// Fails only when the counter is at its end, and then the fd is readable anyway.
void LinkState::Wake() const {
  static_cast<void>(eventfd_write(fd_, 1));
}

void LinkState::Acknowledge() const {
  eventfd_t count = 0;
  static_cast<void>(eventfd_read(fd_, &count));
}

void LinkState::OnBrokerState(const std::string& broker, bool up) {
  const std::lock_guard lock(mutex_);
  if (up) {
    up_.insert(broker);
  } else {
    up_.erase(broker);
  }
  const bool connected = !up_.empty();
  if (connected_.exchange(connected) != connected || up) Wake();
}

}  // namespace tidegate
