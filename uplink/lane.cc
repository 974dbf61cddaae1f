#include "uplink/lane.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate {

using State = TrackedRecord::State;

void Lane::Track(Seq first_seq, std::vector<TrackedRecord> records) {
  CHECK(!records.empty(), "a batch holds records");
  CHECK(first_seq > cursor_, "a batch follows those that were tracked before");
  TrackedBatch batch;
  batch.first_seq = first_seq;
  batch.records = std::move(records);
  batch.undone = batch.unsent = batch.records.size();
  entries_ += batch.records.size();
  undone_ += batch.undone;
  unsent_ += batch.unsent;
  cursor_ = batch.last_seq();
  batches_.push_back(std::move(batch));
}

void Lane::Finish(const std::function<void(const TrackedBatch&)>& on_finished) {
  std::erase_if(batches_, [&](const TrackedBatch& batch) {
    if (batch.undone > 0) return false;
    CHECK(batch.unsent == 0, "a batch that is done has no unsent record");
    on_finished(batch);
    entries_ -= batch.records.size();
    return true;
  });
  if (batches_.empty()) {
    CHECK(undone_ == 0 && unsent_ == 0 && entries_ == 0 && sent_bytes_ == 0,
          "no batch, no record on the books");
  }
}

void Lane::Drop(TrackedBatch& batch) {
  batch.dropped = true;
  for (TrackedRecord& record : batch.records) {
    if (record.state == State::kUnsent) MarkDone(batch, record);
  }
  CHECK(batch.unsent == 0, "a dropped batch has no unsent record");
}

void Lane::SkipTo(Seq seq) {
  CHECK(seq >= cursor_, "a cursor never goes back");
  cursor_ = seq;
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
  CHECK((found == batches_.end()) == (unsent_ == 0), "an unsent record lies at or after the mark");
  unsent_from_ = found != batches_.end() ? found->first_seq : cursor_ + 1;
  return static_cast<size_t>(found - batches_.begin());
}

void Lane::MarkSent(TrackedBatch& batch, TrackedRecord& record) {
  CHECK(record.state == State::kUnsent, "only an unsent record is sent");
  LeaveUnsent(batch);
  record.state = State::kSent;
  record.suspect = false;
  sent_bytes_ += record.bytes;
}

void Lane::MarkUnsent(TrackedBatch& batch, TrackedRecord& record) {
  CHECK(record.state == State::kSent, "only a record in flight comes back");
  LeaveSent(record);
  record.state = State::kUnsent;
  ++batch.unsent;
  ++unsent_;
  CHECK(batch.unsent <= batch.undone && unsent_ <= undone_, "an unsent record is not done");
  unsent_from_ = std::min(unsent_from_, batch.first_seq);
}

void Lane::MarkDone(TrackedBatch& batch, TrackedRecord& record) {
  CHECK(record.state != State::kDone, "a record is done once");
  if (record.state == State::kUnsent) {
    LeaveUnsent(batch);
  } else {
    LeaveSent(record);
  }
  record.state = State::kDone;
  CHECK(batch.undone > 0 && undone_ > 0, "the record was on the books");
  --batch.undone;
  --undone_;
}

void Lane::LeaveUnsent(TrackedBatch& batch) {
  CHECK(batch.unsent > 0 && unsent_ > 0, "the record was among the unsent");
  --batch.unsent;
  --unsent_;
}

void Lane::LeaveSent(const TrackedRecord& record) {
  CHECK(sent_bytes_ >= record.bytes, "the record's bytes were in flight");
  sent_bytes_ -= record.bytes;
}

}  // namespace tidegate
