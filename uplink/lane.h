// The batches of one class that have been taken from the store and are not yet delivered, and the
// state of each record in them. Pure bookkeeping: sends nothing, keeps no bytes. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "core/record.h"
#include "uplink/topic_table.h"

namespace tidegate {

struct TrackedRecord {
  enum class State : uint8_t { kUnsent, kSent, kDone };
  TopicIndex topic = 0;
  uint32_t bytes = 0;
  State state = State::kUnsent;
  bool suspect = false;            // Came back as refused, perhaps for another record's sake.
  bool timed = false;              // Was sent with a timestamp.
  bool without_timestamp = false;  // Was refused alone with its timestamp: the last try is without.
};

struct TrackedBatch {
  Seq first_seq = 0;
  std::vector<TrackedRecord> records;
  size_t undone = 0;
  size_t unsent = 0;
  bool given_up = false;  // By the store, which was full.

  Seq last_seq() const { return first_seq + records.size() - 1; }
  bool Holds(Seq seq) const { return seq >= first_seq && seq <= last_seq(); }
};

class Lane {
 public:
  // All records of the new batch are unsent. REQUIRES: follows what is tracked.
  TrackedBatch& Track(Seq first_seq, std::vector<TrackedRecord> records);
  // Forgets the batches whose records are all done; hands each out first.
  void Finish(const std::function<void(const TrackedBatch&)>& on_finished);
  // The store no longer has the batch: what is not on its way is done.
  void GiveUp(TrackedBatch& batch);
  void Clear();

  // nullptr: no longer tracked.
  TrackedBatch* BatchOf(Seq seq);
  TrackedRecord* Find(Seq seq);

  void MarkSent(TrackedBatch& batch, TrackedRecord& record);
  void MarkUnsent(TrackedBatch& batch, TrackedRecord& record);
  void MarkDone(TrackedBatch& batch, TrackedRecord& record);

  // The index of the first batch with an unsent record; the number of batches if there is none.
  size_t FirstUnsent();
  std::deque<TrackedBatch>& batches() { return batches_; }
  const std::deque<TrackedBatch>& batches() const { return batches_; }
  // Of the last batch taken from the store; 0 before the first.
  Seq cursor() const { return cursor_; }
  size_t unsent() const { return unsent_; }
  size_t undone() const { return undone_; }

 private:
  std::deque<TrackedBatch> batches_;  // Ascending.
  Seq cursor_ = 0;
  Seq unsent_from_ = 0;  // No batch before this one has an unsent record.
  size_t unsent_ = 0;
  size_t undone_ = 0;
};

}  // namespace tidegate
