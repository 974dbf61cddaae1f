#include "reader/land/waiting_since.h"

#include <algorithm>

namespace tidegate::reader {

bool WaitingSince::OnMessage(const Partition& partition, WallTime written) {
  State& state = states_[partition];
  state.newest_pending = written;
  if (state.oldest_pending) return false;
  state.oldest_pending = written;
  return true;
}

std::vector<Partition> WaitingSince::OnAllLanded() {
  std::vector<Partition> landed;
  for (auto& [partition, state] : states_) {
    if (!state.oldest_pending) continue;
    landed.push_back(partition);
    state.oldest_pending.reset();
    state.not_before = std::max(state.newest_pending, state.not_before.value_or(WallTime::min()));
    state.more_in_kafka = false;  // Until the library reports more.
  }
  return landed;
}

void WaitingSince::OnLag(const Partition& partition, int64_t messages, WallTime now) {
  State& state = states_[partition];
  state.more_in_kafka = messages > 0;
  // A backlog of unknown age counts from the moment at which it was first seen.
  if (!state.more_in_kafka || !state.not_before) state.not_before = now;
}

void WaitingSince::Forget(std::span<const Partition> partitions) {
  for (const Partition& partition : partitions) states_.erase(partition);
}

std::optional<WallTime> WaitingSince::Of(const Partition& partition) const {
  const auto found = states_.find(partition);
  if (found == states_.end()) return std::nullopt;
  const State& state = found->second;
  if (state.oldest_pending) return state.oldest_pending;
  return state.more_in_kafka ? state.not_before : std::nullopt;
}

}  // namespace tidegate::reader
