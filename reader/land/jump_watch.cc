#include "reader/land/jump_watch.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/check.h"

namespace tidegate::reader {

void JumpWatch::OnMessage(const Partition& partition, int64_t offset) {
  const auto [expected, is_new] = expected_.emplace(partition, offset + 1);
  if (is_new) {
    first_.emplace(partition, offset);
    return;
  }
  if (offset > expected->second) jumps_.push_back({partition, expected->second, offset});
  expected->second = std::max(expected->second, offset + 1);
}

bool JumpWatch::HasSeen(const Position& position) const {
  const auto expected = expected_.find(position.partition);
  return expected != expected_.end() && position.next_offset <= expected->second;
}

Status JumpWatch::ExpectFirst() {
  if (first_.empty()) return {};
  std::vector<Partition> partitions;
  for (const auto& [partition, offset] : first_) partitions.push_back(partition);
  const auto expected = keeper_.Expected(partitions);
  if (!expected.ok()) return expected.error();
  for (const auto& [partition, offset] : first_) {
    const auto known = expected->find(PartitionName(partition));
    if (known != expected->end() && known->second < offset)
      jumps_.push_back({partition, known->second, offset});
  }
  first_.clear();
  return {};
}

Status JumpWatch::RecordLosses(WallTime now) {
  if (Status status = ExpectFirst(); !status.ok()) return status;
  std::map<Partition, Result<int64_t>> earliest;
  std::vector<Jump> lost;
  std::vector<Jump> unknown;
  for (Jump& jump : jumps_) {
    CHECK(jump.expected < jump.seen, "a jump leaves an offset out");
    auto asked = earliest.find(jump.partition);
    if (asked == earliest.end())
      asked = earliest.emplace(jump.partition, source_.EarliestOffset(jump.partition)).first;
    if (!asked->second.ok()) {
      unknown.push_back(std::move(jump));
    } else if (*asked->second > jump.expected) {
      jump.seen = std::min(jump.seen, *asked->second);
      lost.push_back(std::move(jump));
    }
  }
  CHECK(lost.size() + unknown.size() <= jumps_.size(), "a jump is recorded once");
  jumps_ = std::move(unknown);
  if (lost.empty()) return {};
  Status status = keeper_.Record(lost, now);
  if (!status.ok()) std::ranges::move(lost, std::back_inserter(jumps_));
  return status;
}

void JumpWatch::Forget(std::span<const Partition> partitions) {
  for (const Partition& partition : partitions) {
    expected_.erase(partition);
    first_.erase(partition);
    std::erase_if(jumps_, [&](const Jump& jump) {
      if (jump.partition != partition) return false;
      log_.Warning("{} [{}]: offsets {} to {} are missing, and no broker has told why",
                   partition.topic, partition.number, jump.expected, jump.seen - 1);
      return true;
    });
  }
}

}  // namespace tidegate::reader
