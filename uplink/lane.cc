#include "uplink/lane.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace tidegate {

using State = TrackedRecord::State;

TrackedBatch& Lane::Track(Seq first_seq, std::vector<TrackedRecord> records) {
  assert(batches_.empty() || first_seq > batches_.back().last_seq());
  TrackedBatch batch;
  batch.first_seq = first_seq;
  batch.records = std::move(records);
  batch.undone = batch.unsent = batch.records.size();
  undone_ += batch.undone;
  unsent_ += batch.unsent;
  cursor_ = first_seq;
  return batches_.emplace_back(std::move(batch));
}

void Lane::Finish(const std::function<void(const TrackedBatch&)>& on_finished) {
  std::erase_if(batches_, [&](const TrackedBatch& batch) {
    if (batch.undone > 0) return false;
    on_finished(batch);
    return true;
  });
}

void Lane::GiveUp(TrackedBatch& batch) {
  batch.given_up = true;
  for (TrackedRecord& record : batch.records) {
    if (record.state == State::kUnsent) MarkDone(batch, record);
  }
}

void Lane::Clear() {
  *this = Lane();
}

TrackedBatch* Lane::BatchOf(Seq seq) {
  auto after = std::ranges::upper_bound(batches_, seq, {}, &TrackedBatch::first_seq);
  if (after == batches_.begin()) return nullptr;
  TrackedBatch& batch = *std::prev(after);
  return batch.Holds(seq) ? &batch : nullptr;
}

size_t Lane::FirstUnsent() {
  auto found = std::ranges::lower_bound(batches_, unsent_from_, {}, &TrackedBatch::first_seq);
  while (found != batches_.end() && found->unsent == 0) ++found;
  unsent_from_ = found != batches_.end() ? found->first_seq : cursor_ + 1;
  return static_cast<size_t>(found - batches_.begin());
}

TrackedRecord* Lane::Find(Seq seq) {
  TrackedBatch* batch = BatchOf(seq);
  return batch != nullptr ? &batch->records[seq - batch->first_seq] : nullptr;
}

void Lane::MarkSent(TrackedBatch& batch, TrackedRecord& record) {
  assert(record.state == State::kUnsent);
  record.state = State::kSent;
  record.suspect = false;
  --batch.unsent;
  --unsent_;
}

void Lane::MarkUnsent(TrackedBatch& batch, TrackedRecord& record) {
  assert(record.state == State::kSent);
  record.state = State::kUnsent;
  ++batch.unsent;
  ++unsent_;
  unsent_from_ = std::min(unsent_from_, batch.first_seq);
}

void Lane::MarkDone(TrackedBatch& batch, TrackedRecord& record) {
  assert(record.state != State::kDone);
  if (record.state == State::kUnsent) {
    --batch.unsent;
    --unsent_;
  }
  record.state = State::kDone;
  --batch.undone;
  --undone_;
}

}  // namespace tidegate
