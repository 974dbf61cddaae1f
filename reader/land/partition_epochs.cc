#include "reader/land/partition_epochs.h"

#include <algorithm>
#include <vector>

#include "core/check.h"
#include "core/reached.h"

namespace tidegate::reader {

namespace {
std::string EpochName(const Partition& partition) {
  return PartitionName(partition) + "@";
}

int64_t ValueOf(const Offsets& offsets, const std::string& name) {
  const auto found = offsets.find(name);
  return found == offsets.end() ? 0 : found->second;
}
}  // namespace

Result<LogPositions> ReadLogPositions(ProjectionStore& store, const std::string& database,
                                      std::span<const Partition> partitions) {
  std::vector<std::string> names;
  for (const Partition& partition : partitions) {
    names.push_back(EpochName(partition));
    names.push_back(PartitionName(partition));
  }
  auto offsets = store.ReadPositions(database, names);
  if (!offsets.ok()) return offsets.error();
  LogPositions positions;
  names.clear();
  for (const Partition& partition : partitions) {
    const int64_t epoch = ValueOf(*offsets, EpochName(partition));
    positions[partition].epoch = epoch;
    if (epoch > 0) names.push_back(PartitionName(partition, epoch));
  }
  if (!names.empty()) {
    const auto later = store.ReadPositions(database, names);
    if (!later.ok()) return later.error();
    offsets->insert(later->begin(), later->end());
  }
  for (auto& [partition, position] : positions)
    position.next_offset = ValueOf(*offsets, PartitionName(partition, position.epoch));
  return positions;
}

void PartitionEpochs::OnMessage(const Partition& partition, int64_t offset) {
  Known& known = known_[partition];
  if (offset <= known.newest) known.is_verified = false;
  known.newest = offset;
}

Status PartitionEpochs::Label(std::span<Document> documents, WallTime now) {
  std::vector<Partition> partitions;
  for (const Document& document : documents) {
    const Provenance& from = document.provenance;
    if (!from.epoch) partitions.push_back({from.topic, from.partition});
  }
  if (Status status = ReadUnknown(partitions); !status.ok()) return status;
  for (Document& document : documents) {
    const Provenance& from = document.provenance;
    if (from.epoch) continue;
    const auto epoch = EpochOf({from.topic, from.partition}, from.offset, now);
    if (!epoch.ok()) return epoch.error();
    SetEpoch(document, *epoch);
  }
  return {};
}

Result<int64_t> PartitionEpochs::Of(const Partition& partition, int64_t offset, WallTime now) {
  if (Status status = ReadUnknown({&partition, 1}); !status.ok()) return status.error();
  return EpochOf(partition, offset, now);
}

Result<Offsets> PartitionEpochs::Name(std::span<const Position> positions, WallTime now) {
  std::vector<Partition> partitions;
  for (const Position& position : positions) partitions.push_back(position.partition);
  if (Status status = ReadUnknown(partitions); !status.ok()) return status.error();
  Offsets named;
  for (const Position& position : positions) {
    const auto epoch = EpochOf(position.partition, position.next_offset - 1, now);
    if (!epoch.ok()) return epoch.error();
    if (position.next_offset - 1 > known_.at(position.partition).newest) continue;
    named[PartitionName(position.partition, *epoch)] = position.next_offset;
  }
  return named;
}

void PartitionEpochs::OnStored(std::span<const Position> positions) {
  for (const Position& position : positions) {
    Known& known = known_[position.partition];
    known.position.next_offset = std::max(known.position.next_offset, position.next_offset);
  }
}

void PartitionEpochs::Forget(std::span<const Partition> partitions) {
  for (const Partition& partition : partitions) {
    known_.erase(partition);
    ends_.Forget(partition);
  }
}

Status PartitionEpochs::ReadUnknown(std::span<const Partition> partitions) {
  std::vector<Partition> unknown;
  for (const Partition& partition : partitions)
    if (!known_[partition].is_read) unknown.push_back(partition);
  std::ranges::sort(unknown);
  unknown.erase(std::unique(unknown.begin(), unknown.end()), unknown.end());
  if (unknown.empty()) return {};
  const auto read = ReadLogPositions(parts_.projections, database_, unknown);
  if (!read.ok()) return read.error();
  for (const auto& [partition, position] : *read) {
    known_[partition].position = position;
    known_[partition].is_read = true;
  }
  return {};
}

// A broker is asked once for each partition that is assigned, and only if its messages come from
// before the position. One that does not answer is taken for a log that goes on, and is asked again
// with a message that comes after a while.
Result<int64_t> PartitionEpochs::EpochOf(const Partition& partition, int64_t offset, WallTime now) {
  Known& known = known_.at(partition);
  CHECK(known.is_read, "an epoch is known once its position was read");
  if (known.is_verified || offset >= known.position.next_offset) return known.position.epoch;
  const auto end = ends_.Of(partition);
  if (!end.ok()) return known.position.epoch;
  if (*end < known.position.next_offset) {
    if (Status status = Raise(partition, known, *end, now); !status.ok()) return status.error();
  }
  known.is_verified = *end >= known.position.next_offset;
  return known.position.epoch;
}

Status PartitionEpochs::Raise(const Partition& partition, Known& known, int64_t end, WallTime now) {
  REACHED("worker: a log was made anew");
  const int64_t epoch = known.position.epoch + 1;
  Status status =
      parts_.projections.WritePositions(database_, {{EpochName(partition), epoch}}, now);
  if (!status.ok()) return status;
  const auto read = ReadLogPositions(parts_.projections, database_, {&partition, 1});
  if (!read.ok()) return read.error();
  parts_.log.Warning(
      "{} [{}]: the log ends at {}, before the landing's position {}: it was made anew or "
      "truncated, and is followed as epoch {}",
      partition.topic, partition.number, end, known.position.next_offset,
      read->at(partition).epoch);
  known.position = read->at(partition);
  ++raised_;
  return {};
}

}  // namespace tidegate::reader
