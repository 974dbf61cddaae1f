#include "tests/support/memory_store.h"

#include <algorithm>

#include "store/gap_record.h"

namespace tidegate {
namespace {

uint64_t BytesOf(std::span<const Record> records) {
  uint64_t bytes = 0;
  for (const Record& record : records) bytes += record.value.size();
  return bytes;
}

}  // namespace

Result<Seq> MemoryStore::Append(const AppendRequest& request) {
  if (!failure_.ok()) return failure_.error();
  uint64_t bytes = 0;
  for (const auto& batch : request.batches) bytes += BytesOf(batch.records);
  if (bytes > options_.max_bytes)
    return Error{ErrorCode::kRejected, "append: larger than the store"};
  if (bytes_ + bytes > options_.max_bytes && !options_.drop_oldest) {
    return Error{ErrorCode::kFull, "append: the store is at its limit"};
  }
  const Seq first_seq = next_seq_;
  for (const auto& batch : request.batches) next_seq_ += batch.records.size();
  while (bytes_ + bytes > options_.max_bytes) DropOldest(request.stamp);
  Seq seq = first_seq;
  for (const auto& [record_class, records] : request.batches) {
    batches_[{record_class, seq}] = {
        seq, record_class, request.stamp, {records.begin(), records.end()}};
    seq += records.size();
  }
  bytes_ += bytes;
  dead_letters_.insert(dead_letters_.end(), request.dead_letters.begin(),
                       request.dead_letters.end());
  return first_seq;
}

void MemoryStore::DropOldest(const ClockStamp& stamp) {
  auto victim = batches_.lower_bound({std::prev(batches_.end())->first.first, 0});
  // Gap records take no room here, so they are never what has to go.
  if (victim->first.first == RecordClass::kGap) victim = batches_.begin();
  const Batch lost = std::move(victim->second);
  handed_out_.erase(victim->first);
  batches_.erase(victim);
  bytes_ -= BytesOf(lost.records);
  std::map<std::string, Gap> gaps;
  for (size_t i = 0; i < lost.records.size(); ++i) {
    const Seq seq = lost.first_seq + i;
    auto& gap =
        gaps.try_emplace(lost.records[i].tenant,
                         Gap{lost.records[i].tenant, lost.record_class, kGapStoreFull, seq, seq, 0})
            .first->second;
    gap.last_seq = seq;
    ++gap.count;
  }
  for (const auto& [tenant, gap] : gaps) {
    const Seq seq = next_seq_++;
    batches_[{RecordClass::kGap, seq}] = {
        seq, RecordClass::kGap, stamp, {MakeGapRecord(gap, {options_.gateway, epoch_}, stamp)}};
  }
}

Result<std::optional<Batch>> MemoryStore::Next(const Cursor& after) {
  if (!failure_.ok()) return failure_.error();
  for (const RecordClass record_class : kRecordClasses) {
    const auto next =
        batches_.upper_bound({record_class, after.last[static_cast<size_t>(record_class)]});
    if (next == batches_.end() || next->first.first != record_class) continue;
    handed_out_.insert(next->first);
    return std::optional<Batch>(next->second);
  }
  return std::optional<Batch>();
}

void MemoryStore::Delivered(RecordClass record_class, Seq first_seq) {
  if (handed_out_.erase({record_class, first_seq}) == 0) return;
  const auto batch = batches_.find({record_class, first_seq});
  if (record_class != RecordClass::kGap) bytes_ -= BytesOf(batch->second.records);
  batches_.erase(batch);
}

Status MemoryStore::Flush() {
  return failure_;
}

StoreUsage MemoryStore::Usage() const {
  StoreUsage usage;
  for (const auto& [key, batch] : batches_) {
    usage.records[static_cast<size_t>(key.first)] += batch.records.size();
    if (!usage.oldest || batch.stamp.wall < *usage.oldest) usage.oldest = batch.stamp.wall;
  }
  usage.batches = batches_.size();
  usage.bytes = bytes_;
  usage.max_bytes = options_.max_bytes;
  usage.dead_letters = dead_letters_.size();
  return usage;
}

}  // namespace tidegate
