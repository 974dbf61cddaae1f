#include "reader/land/member_report.h"

#include <algorithm>

#include "core/check.h"

namespace tidegate::reader {

namespace {
constexpr std::chrono::milliseconds kInterval{1'000};
}  // namespace

void MemberReport::Post(size_t pending, bool changed) {
  CHECK(!ended_, "a member that has stopped posts nothing");
  const BootTime now = clock_.SinceBoot();
  if (!changed && now < next_) return;
  next_ = now + kInterval;
  state_.last_turn = now;
  state_.pending = pending;
  board_.Post(place_, state_);
}

Error MemberReport::Fail(const Error& error, size_t pending) {
  state_.failed = true;
  state_.trouble = error.message;
  Post(pending, true);
  return error;
}

void MemberReport::Stopped(size_t pending) {
  state_.stopped = true;
  Post(pending, true);
  ended_ = true;
}

void MemberReport::SetLag(std::span<const PartitionLag> lag, bool brokers_up) {
  state_.partitions.assign(lag.begin(), lag.end());
  state_.kafka_up = brokers_up;
}

void MemberReport::Forget(std::span<const Partition> partitions) {
  std::erase_if(state_.partitions, [&](const PartitionLag& lag) {
    return std::ranges::count(partitions, lag.partition) > 0;
  });
}

}  // namespace tidegate::reader
