#include "reader/land/waiting_since.h"

#include <algorithm>

namespace tidegate::reader {

bool WaitingSince::Take(const Partition& partition, WallTime written) {
  State& state = states_[partition];
  state.newest_in_hand = written;
  if (state.oldest_in_hand) return false;
  state.oldest_in_hand = written;
  return true;
}

std::vector<Partition> WaitingSince::Land() {
  std::vector<Partition> landed;
  for (auto& [partition, state] : states_) {
    if (!state.oldest_in_hand) continue;
    landed.push_back(partition);
    state.oldest_in_hand.reset();
    state.not_before = std::max(state.newest_in_hand, state.not_before.value_or(WallTime::min()));
    state.more_in_kafka = false;  // Until it is heard that there is more.
  }
  return landed;
}

void WaitingSince::Hear(const Partition& partition, int64_t messages, WallTime now) {
  State& state = states_[partition];
  state.more_in_kafka = messages > 0;
  // Without anything to go by, a backlog counts from when it was first seen.
  if (!state.more_in_kafka || !state.not_before) state.not_before = now;
}

void WaitingSince::Forget(std::span<const Partition> partitions) {
  for (const Partition& partition : partitions) states_.erase(partition);
}

std::optional<WallTime> WaitingSince::Of(const Partition& partition) const {
  const auto found = states_.find(partition);
  if (found == states_.end()) return std::nullopt;
  const State& state = found->second;
  if (state.oldest_in_hand) return state.oldest_in_hand;
  return state.more_in_kafka ? state.not_before : std::nullopt;
}

}  // namespace tidegate::reader
