#include "reader/consume/log_ends.h"

#include <chrono>

namespace tidegate::reader {

namespace {
constexpr std::chrono::seconds kSilence{10};
}  // namespace

Result<int64_t> LogEnds::Of(const Partition& partition) {
  if (clock_.SinceBoot() < SilentUntil(partition))
    return Error{ErrorCode::kUnavailable, "no broker has answered a moment ago"};
  auto end = source_.EndOffset(partition);
  if (end.ok()) {
    silent_until_.erase(partition);
  } else {
    silent_until_[partition] = clock_.SinceBoot() + kSilence;
  }
  return end;
}

BootTime LogEnds::SilentUntil(const Partition& partition) const {
  const auto silent = silent_until_.find(partition);
  return silent == silent_until_.end() ? BootTime() : silent->second;
}

}  // namespace tidegate::reader
