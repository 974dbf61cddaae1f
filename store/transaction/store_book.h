// The book of what is stored: totals, what Next has returned, what has been delivered, how far
// snapshots reach, and what a failed append may have left. It is read at each opening and changed
// by whole transactions. Private to store/; one thread.
//
// Invariants:
// - Batches that are handed out or delivered are stored: ForgetMissing erases the others at each
//   opening, Apply erases what a transaction deleted or dropped.
// - For each class, totals.records is at least what is delivered plus what is handed out, and so
//   for batches. The numbers come from the file, so Read, ReadDelivered, HandOut and
//   StoreWriter::Remove answer a contradiction with kCorrupt and change nothing; Apply checks what
//   they leave.
// - No batch is both handed out and delivered: HandOut checks it, Deliver moves the batch.
// - The next seq never decreases while the process runs: Apply checks it, Read keeps the maximum.
// - covered < next_seq: Apply checks it, Read keeps to it.
// - Nothing is unacknowledged unless an append is under way: BeginAppend checks it.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "store/file/snapshot_slots.h"
#include "store/file/store_handle.h"
#include "store/transaction/batch_set.h"
#include "store/transaction/store_contents.h"

namespace tidegate {

class StoreWriter;

// One batch as the bytes of its row.
struct EncodedBatch {
  BatchKey key = 0;
  uint64_t count = 0;
  std::string body;
};

class StoreBook {
 public:
  const StoreContents& contents() const { return contents_; }
  Seq next_seq() const { return contents_.totals.next_seq; }
  // Batches that Next has returned and that are not delivered yet.
  const BatchSet& handed_out() const { return handed_out_; }
  // Batches handed out of which nothing can be delivered now. Some may not be stored any more.
  const std::set<BatchKey>& parked() const { return parked_; }
  // Delivered batches that are still stored: their delete is pending, or they stay for replay.
  const BatchSet& delivered() const { return delivered_; }
  // Batches of an append that failed, or of one that is under way: a failed commit may have left
  // them in the log.
  const BatchCounts& unacknowledged() const { return unacknowledged_; }
  // True if a delivery is not recorded in the file yet.
  bool has_deliveries() const { return has_deliveries_; }
  // True if more delivered batches may be deleted, as far as snapshots are concerned.
  bool deletes_due() const { return deletes_due_; }

  // Forgets batches that are not stored any more: the log after a failed commit may hold its
  // deletes.
  Status ForgetMissing(StoreHandle& handle);
  // Reads the contents anew; counts batches after the newest snapshot up to `max_replay_batches`.
  // kCorrupt: numbers in the file are impossible, or below what is handed out and delivered.
  // kUnavailable: it cannot be read. REQUIRES: ForgetMissing was called for this handle.
  Status Read(StoreHandle& handle, const SnapshotSlots& snapshots, uint64_t max_replay_batches);
  // Adds what is delivered by the marks. A snapshot or a flush deletes it. Errors as Read.
  Status ReadDelivered(StoreHandle& handle);
  // Makes a snapshot due at the next append.
  void RequestSnapshot(uint64_t max_replay_batches);
  // A new file has replaced the one that Next read from.
  void ForgetHandedOut() {
    handed_out_.Clear();
    parked_.clear();
  }

  // Next returns the batch: its gap record and those of its class grow no more. kCorrupt: more
  // records than the totals in the file leave. REQUIRES: it is not delivered.
  Status HandOut(BatchKey key, uint64_t count);
  // Moves the batch to the delivered ones. False: it is not handed out, because it was dropped.
  bool Deliver(BatchKey key);

  // The batch is dropped before others. Does nothing if it is not handed out.
  void Park(BatchKey key) {
    if (handed_out_.Contains(key)) parked_.insert(key);
  }

  // REQUIRES: no earlier append is unacknowledged.
  void BeginAppend(std::span<const EncodedBatch> batches);
  // The file holds what the append returned: all of it, or nothing.
  void EndAppend() { unacknowledged_.clear(); }

  // The writer's transaction is committed: keeps its contents. A transaction of `max_deletes`
  // deletes has more to delete.
  void Apply(const StoreWriter& writer, StoreContents contents, uint64_t max_deletes);

 private:
  StoreContents contents_;
  BatchSet handed_out_;
  std::set<BatchKey> parked_;
  BatchSet delivered_;
  bool has_deliveries_ = false;
  bool deletes_due_ = false;
  BatchCounts unacknowledged_;
};

}  // namespace tidegate
