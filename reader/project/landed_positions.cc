#include "reader/project/landed_positions.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/check.h"
#include "reader/project/rebuild_mark.h"

namespace tidegate::reader {

void LandedPositions::OnMessage(const Partition& partition, int64_t offset) {
  Known& known = known_[partition];
  if (offset <= known.newest) known.is_verified = false;
  known.newest = offset;
}

Status LandedPositions::Read() {
  std::vector<Partition> partitions;
  for (const auto& [partition, known] : known_) {
    if (!known.is_verified || known.position.next_offset <= known.newest)
      partitions.push_back(partition);
  }
  if (partitions.empty()) return {};
  const auto mark = ReadRebuildMark(projections_, database_);
  if (!mark.ok()) return mark.error();
  if (IsUnderWay(*mark)) {
    return Error{ErrorCode::kUnavailable,
                 "the projections are being made anew; if that was broken off, stop projecting and "
                 "use `tidegate-reader rebuild --again`"};
  }
  const auto read = ReadLogPositions(projections_, database_, partitions);
  if (!read.ok()) return read.error();
  for (const auto& [partition, position] : *read) {
    Known& known = known_.at(partition);
    known.is_verified &= known.position.epoch == position.epoch;
    known.has_risen |= std::exchange(known.is_read, true) && known.position.epoch != position.epoch;
    known.position = position;
  }
  Verify();
  return {};
}

void LandedPositions::Verify() {
  std::vector<Partition> unverified;
  for (const auto& [partition, known] : known_) {
    if (!known.is_verified && known.position.next_offset > 0) unverified.push_back(partition);
  }
  std::ranges::stable_sort(
      unverified, {}, [this](const Partition& partition) { return ends_.SilentUntil(partition); });
  for (const Partition& partition : unverified) {
    const auto end = ends_.Of(partition);
    if (!end.ok()) return;
    Known& known = known_.at(partition);
    known.is_verified = *end >= known.position.next_offset;
  }
}

bool LandedPositions::HasLanded(const Partition& partition, int64_t offset) const {
  const auto known = known_.find(partition);
  return known != known_.end() && known->second.is_verified && !known->second.has_risen &&
         offset < known->second.position.next_offset;
}

std::vector<Partition> LandedPositions::Risen() const {
  std::vector<Partition> risen;
  for (const auto& [partition, known] : known_)
    if (known.has_risen) risen.push_back(partition);
  return risen;
}

int64_t LandedPositions::EpochOf(const Partition& partition) const {
  const auto known = known_.find(partition);
  CHECK(known != known_.end(), "the epoch of a landed message is known");
  return known->second.position.epoch;
}

std::string LandedPositions::NameOf(const Partition& partition) const {
  return PartitionName(partition, EpochOf(partition));
}

int64_t LandedPositions::NewestOf(const Partition& partition) const {
  const auto known = known_.find(partition);
  return known == known_.end() ? -1 : known->second.newest;
}

}  // namespace tidegate::reader
