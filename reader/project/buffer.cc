#include "reader/project/buffer.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate::reader {

namespace {
// The weight of as much as may be folded at a time.
constexpr uint64_t kWhole = 1 << 20;

uint64_t ShareOf(size_t part, size_t limit) {
  return (part * kWhole + limit - 1) / limit;
}
}  // namespace

uint64_t Buffer::WeightOf(const Item& item) const {
  return std::max({ShareOf(1, limits_.records), ShareOf(item.bytes, limits_.bytes),
                   ShareOf(item.values, limits_.values)});
}

void Buffer::Add(Item item) {
  item.weight = WeightOf(item);
  item.waits = false;
  fresh_ += item.weight;
  items_.push_back(std::move(item));
}

bool Buffer::Full() const {
  return fresh_ >= kWhole;
}

size_t Buffer::MoveToFront(const std::function<bool(const Item&)>& is_ready) {
  const auto rest = std::stable_partition(items_.begin(), items_.end(), is_ready);
  return static_cast<size_t>(rest - items_.begin());
}

void Buffer::RemoveFront(size_t count) {
  CHECK(count <= items_.size(), "only buffered messages are removed");
  for (const Item& item : std::span(items_).first(count)) Take(item);
  items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(count));
  CheckWeights();
}

size_t Buffer::Remove(const Partition& partition) {
  const size_t removed = std::erase_if(items_, [&](const Item& item) {
    if (item.partition != partition) return false;
    Take(item);
    return true;
  });
  paused_.erase(partition);
  CheckWeights();
  return removed;
}

Buffer::Turn Buffer::Balance(size_t assigned) {
  for (Item& item : items_) {
    if (std::exchange(item.waits, true)) continue;
    fresh_ -= item.weight;
    waiting_[item.partition] += item.weight;
    all_waiting_ += item.weight;
  }
  CheckWeights();
  const uint64_t fair = kWhole / std::max<size_t>(assigned, 2);
  const uint64_t limit = std::max<uint64_t>(all_waiting_ >= kWhole ? fair : kWhole / 2, 1);
  Turn turn;
  for (const auto& [partition, weight] : waiting_)
    if (weight >= limit && paused_.insert(partition).second) turn.pause.push_back(partition);
  std::erase_if(paused_, [&](const Partition& partition) {
    const auto waiting = waiting_.find(partition);
    if (waiting != waiting_.end() && waiting->second > limit / 2) return false;
    turn.resume.push_back(partition);
    return true;
  });
  return turn;
}

void Buffer::Take(const Item& item) {
  if (!item.waits) {
    CHECK(fresh_ >= item.weight, "a message is taken as it was added");
    fresh_ -= item.weight;
    return;
  }
  const auto waiting = waiting_.find(item.partition);
  CHECK(waiting != waiting_.end() && waiting->second >= item.weight && all_waiting_ >= item.weight,
        "a message is taken as it was added");
  waiting->second -= item.weight;
  all_waiting_ -= item.weight;
  if (waiting->second == 0) waiting_.erase(waiting);
}

void Buffer::CheckWeights() const {
  CHECK(!items_.empty() || (fresh_ == 0 && all_waiting_ == 0 && waiting_.empty()),
        "an empty buffer has no weight");
}

}  // namespace tidegate::reader
