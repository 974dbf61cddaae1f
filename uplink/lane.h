// The books of one class: the batches that were read from the store and are not yet delivered, and
// the state of each of their records. Sends nothing and keeps no records. Pure; one thread.
//
// Invariants, each with the check that guards it:
//   - batches are ascending and do not overlap: Track()
//   - a record is sent only if unsent, comes back only if sent, and is done once, so that unsent <=
//     undone and no count falls below zero: MarkSent(), MarkUnsent(), MarkDone()
//   - a batch leaves only when all of its records are done: Finish()
//   - with no batch left, all counts are zero: Finish()
//   - no unsent record lies before unsent_from_: FirstUnsent()
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "core/record.h"
#include "uplink/topic_table.h"

namespace tidegate {

struct TrackedRecord {
  enum class State : uint8_t { kUnsent, kSent, kDone };
  TopicIndex topic = 0;
  // Of key and value, uncompressed.
  uint32_t bytes = 0;
  // A hash of the key. Two assets may share it.
  uint32_t asset = 0;
  State state = State::kUnsent;
  // The record was in a request that the broker refused, perhaps because of another record.
  bool suspect = false;
  // The record was last sent with a timestamp.
  bool timed = false;
  // A broker refused its request for a timestamp, or the record alone: it is sent without one.
  bool without_timestamp = false;
};

struct TrackedBatch {
  Seq first_seq = 0;
  // One for each record, in the order of their seqs.
  std::vector<TrackedRecord> records;
  size_t undone = 0;
  size_t unsent = 0;
  // The store was full and has dropped the batch.
  bool dropped = false;

  Seq last_seq() const { return first_seq + records.size() - 1; }
  bool Holds(Seq seq) const { return seq >= first_seq && seq <= last_seq(); }
};

class Lane {
 public:
  // Adds a batch whose records are all unsent. REQUIRES: records is not empty, and first_seq >
  // cursor().
  void Track(Seq first_seq, std::vector<TrackedRecord> records);
  // Calls `on_finished` for each batch whose records are all done, then forgets it.
  void Finish(const std::function<void(const TrackedBatch&)>& on_finished);
  // The store no longer holds the batch: its unsent records are done.
  void Drop(TrackedBatch& batch);
  // The next batch to track follows `seq`. REQUIRES: seq >= cursor().
  void SkipTo(Seq seq);
  // Forgets everything, the cursor too.
  void Clear();

  // Returns the batch that holds the record; nullptr: it is not tracked.
  TrackedBatch* BatchOf(Seq seq);

  // REQUIRES: the record belongs to the batch, and is unsent.
  void MarkSent(TrackedBatch& batch, TrackedRecord& record);
  // REQUIRES: the record belongs to the batch, and is sent.
  void MarkUnsent(TrackedBatch& batch, TrackedRecord& record);
  // REQUIRES: the record belongs to the batch, and is not done.
  void MarkDone(TrackedBatch& batch, TrackedRecord& record);

  // Returns the index of the first batch with an unsent record; the number of batches if there is
  // none.
  size_t FirstUnsent();
  std::deque<TrackedBatch>& batches() { return batches_; }
  const std::deque<TrackedBatch>& batches() const { return batches_; }
  // The last seq that was tracked; 0 before the first.
  Seq cursor() const { return cursor_; }
  size_t unsent() const { return unsent_; }
  size_t undone() const { return undone_; }
  // Entries for records of tracked batches, whatever their state.
  size_t entries() const { return entries_; }
  // Records in flight.
  size_t sent() const { return undone_ - unsent_; }
  size_t sent_bytes() const { return sent_bytes_; }

 private:
  void LeaveUnsent(TrackedBatch& batch);
  void LeaveSent(const TrackedRecord& record);

  std::deque<TrackedBatch> batches_;
  Seq cursor_ = 0;
  // No batch with a smaller first_seq has an unsent record.
  Seq unsent_from_ = 0;
  size_t unsent_ = 0;
  size_t undone_ = 0;
  size_t entries_ = 0;
  size_t sent_bytes_ = 0;
};

}  // namespace tidegate
