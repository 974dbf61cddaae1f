#include "reader/jump_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace tidegate::reader {

namespace {
// What is saved about the offsets [from, to) of a partition: the same, whoever finds it.
Projection OffsetLoss(const std::string& database, const Partition& partition, int64_t from,
                      int64_t to, WallTime now) {
  Projection loss{.key = {{database, "losses"},
                          fmt::format("{}/{}/{}", partition.topic, partition.number, from)}};
  Object& members = loss.members;
  members["kind"].is = "offsets";
  members["topic"].is = partition.topic;
  members["partition"].is = int64_t{partition.number};
  members["from"].is = from;
  members["to"].is = to;
  members["count"].is = to - from;
  members["reason"].is = "Kafka's retention overtook the reader";
  members["timestamp"].is = now;
  return loss;
}
}  // namespace

void JumpWatch::OnMessage(const Partition& partition, int64_t offset) {
  const auto [expected, is_new] = expected_.emplace(partition, offset + 1);
  if (is_new) {
    first_.emplace(partition, offset);
    return;
  }
  if (offset > expected->second) jumps_.push_back({partition, expected->second, offset});
  expected->second = std::max(expected->second, offset + 1);
}

Status JumpWatch::ExpectFirst() {
  if (first_.empty()) return {};
  std::vector<std::string> names;
  for (const auto& [partition, offset] : first_) names.push_back(PartitionName(partition));
  const auto positions = projections_.ReadPositions(database_, names);
  if (!positions.ok()) return positions.error();
  for (const auto& [partition, offset] : first_) {
    const auto landed = positions->find(PartitionName(partition));
    if (landed != positions->end() && landed->second < offset)
      jumps_.push_back({partition, landed->second, offset});
  }
  first_.clear();
  return {};
}

Status JumpWatch::Settle(WallTime now) {
  if (Status status = ExpectFirst(); !status.ok()) return status;
  std::map<Partition, Result<int64_t>> earliest;
  std::vector<Jump> lost;
  std::vector<Jump> unknown;
  for (Jump& jump : jumps_) {
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
  jumps_ = std::move(unknown);
  return Record(std::move(lost), now);
}

Status JumpWatch::Record(std::vector<Jump> lost, WallTime now) {
  if (lost.empty()) return {};
  std::vector<Projection> projections;
  for (const Jump& jump : lost)
    projections.push_back(OffsetLoss(database_, jump.partition, jump.expected, jump.seen, now));
  // A conflict says that the loss is told already.
  if (const auto saved = projections_.Save(projections); !saved.ok()) {
    std::ranges::move(lost, std::back_inserter(jumps_));
    return saved.error();
  }
  for (const Jump& jump : lost) {
    lost_ += static_cast<uint64_t>(jump.seen - jump.expected);
    log_.Error("{} [{}]: Kafka has deleted offsets {} to {} before they had landed",
               jump.partition.topic, jump.partition.number, jump.expected, jump.seen - 1);
  }
  return {};
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
