#include "tests/support/memory_store.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "store/format/gap_record.h"

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
  for (const DeadLetter& letter : request.dead_letters) {
    if (Refuses(letter)) return Error{ErrorCode::kRejected, "append: the letter is too large"};
  }
  uint64_t bytes = 0;
  for (const auto& batch : request.batches) {
    CHECK(!batch.records.empty(), "a batch has records");
    bytes += BytesOf(batch.records);
  }
  if (bytes > options_.max_bytes)
    return Error{ErrorCode::kRejected, "append: larger than the store"};
  if (bytes_ + bytes > options_.max_bytes && !options_.drop_oldest) {
    return Error{ErrorCode::kFull, "append: the store is at its limit"};
  }
  const Seq first_seq = next_seq_;
  for (const auto& batch : request.batches) next_seq_ += batch.records.size();
  while (bytes_ + bytes > options_.max_bytes) DropOldest(request.stamp);
  Seq seq = first_seq;
  for (const auto& batch : request.batches) {
    Keep(request, batch, seq);
    seq += batch.records.size();
  }
  bytes_ += bytes;
  dead_letters_.insert(dead_letters_.end(), request.dead_letters.begin(),
                       request.dead_letters.end());
  TakeSnapshot();
  return first_seq;
}

bool MemoryStore::Refuses(const DeadLetter& letter) const {
  return refuses_letters_ || (most_letter_bytes_ && letter.payload.size() > *most_letter_bytes_);
}

void MemoryStore::Keep(const AppendRequest& request, const AppendRequest::NewBatch& batch,
                       Seq first_seq) {
  Batch& kept = batches_[{batch.record_class, first_seq}];
  kept.first_seq = first_seq;
  kept.record_class = batch.record_class;
  kept.stamp = request.stamp;
  kept.records.assign(batch.records.begin(), batch.records.end());
  if (batch.arrivals.empty()) return;
  kept.arrivals.assign(batch.arrivals.begin(), batch.arrivals.end());
  kept.inputs.assign(request.inputs.begin(), request.inputs.end());
  for (size_t i = 0; i < kept.arrivals.size(); ++i) {
    if (kept.records[i].time_source == TimeSource::kSource) kept.arrivals[i].since_boot = {};
  }
}

void MemoryStore::DropOldest(const ClockStamp& stamp) {
  auto victim = batches_.lower_bound({std::prev(batches_.end())->first.first, 0});
  // Gap records take no room here, so they are never what has to go.
  if (victim->first.first == RecordClass::kGap) victim = batches_.begin();
  for (RecordClass lowest : {RecordClass::kReading, RecordClass::kHeartbeat}) {
    const auto parked = parked_.lower_bound({lowest, 0});
    if (parked == parked_.end() || parked->first != lowest) continue;
    victim = batches_.find(*parked);
    CHECK(victim != batches_.end(), "a parked batch is stored");
    break;
  }
  const Batch lost = std::move(victim->second);
  handed_out_.erase(victim->first);
  parked_.erase(victim->first);
  delivered_.erase(victim->first);
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
        seq,   RecordClass::kGap,
        stamp, {MakeGapRecord(gap, {options_.gateway, epoch_}, stamp)},
        {},    {},
        {}};
  }
}

Result<std::optional<Batch>> MemoryStore::Next(const Cursor& after) {
  if (!failure_.ok()) return failure_.error();
  for (const RecordClass record_class : kRecordClasses) {
    auto next = batches_.upper_bound({record_class, after.last[static_cast<size_t>(record_class)]});
    while (next != batches_.end() && delivered_.contains(next->first)) ++next;
    if (next == batches_.end() || next->first.first != record_class) continue;
    handed_out_.insert(next->first);
    return std::optional<Batch>(next->second);
  }
  return std::optional<Batch>();
}

void MemoryStore::Park(RecordClass record_class, Seq first_seq) {
  const Key key{record_class, first_seq};
  if (handed_out_.contains(key)) parked_.insert(key);
}

void MemoryStore::Delivered(RecordClass record_class, Seq first_seq) {
  const Key key{record_class, first_seq};
  parked_.erase(key);
  if (handed_out_.erase(key) == 0) return;
  if (snapshot_source_ && record_class >= RecordClass::kHeartbeat) {
    delivered_.insert(key);
  } else {
    Forget(key);
  }
}

void MemoryStore::Forget(const Key& key) {
  const auto batch = batches_.find(key);
  CHECK(batch != batches_.end(), "what was delivered is stored");
  if (key.first != RecordClass::kGap) bytes_ -= BytesOf(batch->second.records);
  batches_.erase(batch);
}

Status MemoryStore::Flush() {
  if (failure_.ok()) TakeSnapshot();
  return failure_;
}

void MemoryStore::TakeSnapshot() {
  if (!snapshot_source_) return;
  auto body = snapshot_source_();
  if (!body) return;
  snapshot_ = Snapshot{*std::move(body), next_seq_ - 1};
  for (const Key& key : std::exchange(delivered_, {})) Forget(key);
}

void MemoryStore::Restart() {
  snapshot_source_ = nullptr;
  handed_out_.clear();
  parked_.clear();
}

Result<std::optional<Batch>> MemoryStore::Replay(RecordClass record_class, Seq after) {
  if (!failure_.ok()) return failure_.error();
  const auto next = batches_.upper_bound({record_class, after});
  if (next == batches_.end() || next->first.first != record_class) return std::optional<Batch>();
  return std::optional<Batch>(next->second);
}

Result<std::optional<std::string>> MemoryStore::ReadValue(std::string_view name) {
  const auto value = values_.find(name);
  if (value == values_.end()) return std::optional<std::string>();
  return std::optional<std::string>(value->second);
}

Status MemoryStore::WriteValue(std::string_view name, std::string_view body) {
  if (!failure_.ok()) return failure_;
  values_[std::string(name)] = body;
  return {};
}

StoreUsage MemoryStore::Usage() const {
  StoreUsage usage;
  for (const auto& [key, batch] : batches_) {
    if (delivered_.contains(key)) continue;
    usage.records[static_cast<size_t>(key.first)] += batch.records.size();
    if (!usage.oldest || batch.stamp.wall < *usage.oldest) usage.oldest = batch.stamp.wall;
  }
  usage.batches = batches_.size() - delivered_.size();
  usage.bytes = bytes_;
  usage.max_bytes = options_.max_bytes;
  usage.dead_letters = dead_letters_.size();
  return usage;
}

}  // namespace tidegate
