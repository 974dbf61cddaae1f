#include "drivers/sim/line_publisher.h"

#include <poll.h>

#include "core/check.h"

namespace tidegate {

void LinePublisher::Publish(const Heartbeat& heartbeat) {
  CHECK(HasRoom(), "Publish() needs room");
  const std::string_view payload = heartbeat.payload;
  if (std::fwrite(payload.data(), 1, payload.size(), file_) != payload.size() ||
      std::fputc('\n', file_) == EOF) {
    failed_ = true;
  }
  ++buffered_;
}

Status LinePublisher::Step(std::chrono::milliseconds wait) {
  if (!failed_ && std::fflush(file_) != 0) failed_ = true;
  if (failed_) return Error{ErrorCode::kRejected, "write to standard output: nobody reads it"};
  written_ += buffered_;
  buffered_ = 0;
  // poll() and no sleep function: a signal ends it.
  poll(nullptr, 0, static_cast<int>(wait.count()));
  return {};
}

}  // namespace tidegate
