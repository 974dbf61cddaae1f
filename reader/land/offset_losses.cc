#include "reader/land/offset_losses.h"

#include <fmt/format.h>

#include <vector>

#include "core/check.h"
#include "reader/land/partition_epochs.h"

namespace tidegate::reader {

namespace {
// The document about the offsets [from, to) of a partition. Its id follows from the offsets, so
// that it is the same one whoever finds the loss.
Projection OffsetLoss(const std::string& database, const Partition& partition, int64_t from,
                      int64_t to, WallTime now) {
  CHECK(from < to, "a loss has an offset");
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

Result<Offsets> OffsetLosses::Expected(std::span<const Partition> partitions) {
  const auto positions = ReadLogPositions(projections_, database_, partitions);
  if (!positions.ok()) return positions.error();
  Offsets expected;
  for (const auto& [partition, position] : *positions) {
    const bool has_landed = position.next_offset > 0;
    if (has_landed) expected[PartitionName(partition)] = position.next_offset;
  }
  return expected;
}

Status OffsetLosses::Record(std::span<const Jump> lost, WallTime now) {
  std::vector<Projection> projections;
  for (const Jump& jump : lost)
    projections.push_back(OffsetLoss(database_, jump.partition, jump.expected, jump.seen, now));
  // A conflict means that the loss is recorded already.
  if (const auto saved = projections_.Save(projections); !saved.ok()) return saved.error();
  for (const Jump& jump : lost) {
    log_.Error("{} [{}]: Kafka has deleted offsets {} to {} before they had landed",
               jump.partition.topic, jump.partition.number, jump.expected, jump.seen - 1);
  }
  return {};
}

}  // namespace tidegate::reader
