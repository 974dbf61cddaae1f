#include "agent/pipeline/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/check.h"

namespace tidegate {

namespace {

// Reads the batches of one class after a seq, one by one.
class ClassReplay {
 public:
  ClassReplay(Store& store, RecordClass record_class, Seq after)
      : store_(store), record_class_(record_class), after_(after) {}

  Status Advance() {
    auto batch = store_.Replay(record_class_, after_);
    if (!batch.ok()) return batch.error();
    batch_ = std::move(batch).value();
    if (!batch_) return {};
    // It comes from a file, and without progress the replay would never end.
    if (batch_->first_seq <= after_ || batch_->records.empty()) {
      return Error{ErrorCode::kCorrupt,
                   fmt::format("replay: batch {} with {} record(s) after {}", batch_->first_seq,
                               batch_->records.size(), after_)};
    }
    after_ = batch_->first_seq + batch_->records.size() - 1;
    return {};
  }
  const std::optional<Batch>& batch() const { return batch_; }

 private:
  Store& store_;
  const RecordClass record_class_;
  Seq after_;
  std::optional<Batch> batch_;
};

// Batches of another version have no arrivals.
Arrival ArrivalOf(const Batch& batch, size_t i) {
  if (i < batch.arrivals.size()) return batch.arrivals[i];
  return {
      .since_boot = std::chrono::duration_cast<std::chrono::milliseconds>(batch.stamp.since_boot),
      .position = static_cast<uint32_t>(i),
      .input = UINT16_MAX,
      .packet_id = std::nullopt};
}

// Exactly one record of a commit has position 0.
bool SameCommit(const Batch& a, const Batch& b) {
  return a.stamp.boot_id == b.stamp.boot_id && a.stamp.since_boot == b.stamp.since_boot &&
         a.stamp.wall == b.stamp.wall &&
         !(ArrivalOf(a, 0).position == 0 && ArrivalOf(b, 0).position == 0);
}

// Visits the records of one commit's batches in the order of arrival.
uint64_t Visit(const std::vector<const Batch*>& commit, const ReplayVisitor& visitor) {
  CHECK(!commit.empty(), "a commit has a batch");
  static const std::string kNone;
  visitor.begin(commit.front()->stamp);
  struct Item {
    const Batch* batch;
    size_t index;
    Arrival arrival;
  };
  std::vector<Item> items;
  for (const Batch* batch : commit) {
    for (size_t i = 0; i < batch->records.size(); ++i)
      items.push_back({batch, i, ArrivalOf(*batch, i)});
  }
  std::ranges::stable_sort(items, {}, [](const Item& item) { return item.arrival.position; });
  for (const Item& item : items) {
    const auto& inputs = item.batch->inputs;
    visitor.each(item.batch->records[item.index], item.arrival,
                 item.arrival.input < inputs.size() ? inputs[item.arrival.input] : kNone);
  }
  return items.size();
}

}  // namespace

Result<uint64_t> ReplayAfter(Store& store, Seq after, const ReplayVisitor& visitor) {
  ClassReplay heartbeats(store, RecordClass::kHeartbeat, after);
  ClassReplay readings(store, RecordClass::kReading, after);
  if (Status status = heartbeats.Advance(); !status.ok()) return status.error();
  if (Status status = readings.Advance(); !status.ok()) return status.error();
  uint64_t count = 0;
  while (heartbeats.batch() || readings.batch()) {
    const Batch* a = heartbeats.batch() ? &*heartbeats.batch() : nullptr;
    const Batch* b = readings.batch() ? &*readings.batch() : nullptr;
    const bool one_commit = a != nullptr && b != nullptr && SameCommit(*a, *b);
    const bool take_a = a != nullptr && (one_commit || b == nullptr || a->first_seq < b->first_seq);
    const bool take_b = b != nullptr && (one_commit || !take_a);
    std::vector<const Batch*> commit;
    if (take_a) commit.push_back(a);
    if (take_b) commit.push_back(b);
    count += Visit(commit, visitor);
    if (take_a) {
      if (Status status = heartbeats.Advance(); !status.ok()) return status.error();
    }
    if (take_b) {
      if (Status status = readings.Advance(); !status.ok()) return status.error();
    }
  }
  return count;
}

}  // namespace tidegate
