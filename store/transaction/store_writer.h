// One write transaction of the store, step by step, on a copy of the book's contents: if a step
// fails, the copy is discarded with the transaction. Private to store/; one thread.
//
// Invariants, each checked where it could break:
// - Insert numbers records without a hole, from the next seq on: so the first seqs of a class only
//   grow. InsertSalvaged adds batches that were numbered before, each key once.
// - A removal leaves the totals at or above what is delivered and handed out. Rows and totals both
//   come from the file, so a contradiction is kCorrupt and no failed check.
// - Only what need not stay for replay is deleted: DeleteDelivered asks MustStay.
// - No step follows Finish.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/file/store_handle.h"
#include "store/format/batch_codec.h"
#include "store/transaction/store_book.h"
#include "store/transaction/store_contents.h"

namespace tidegate {

class StoreWriter {
 public:
  // What the transaction works with; everything outlives the writer.
  struct Context {
    StoreHandle& handle;
    BatchCodec& codec;
    const GapOrigin& origin;
    // Tenant of gap records about batches that are too damaged to show theirs, and about losses of
    // more tenants than the ledger has entries for.
    const std::string& fallback_tenant;
    const StoreBook& book;
    // True if records that no snapshot covers stay stored after their delivery.
    bool keeps_for_replay;
    const ClockStamp& stamp;
  };

  enum class Deletes {
    // Only batches of classes that are never replayed.
    kUrgent,
    // All that need not stay for replay.
    kAll,
  };

  // `contents` starts as a copy of the book's; the steps change it.
  StoreWriter(const Context& context, StoreContents& contents);

  // Deletes the batch. False: it is not stored. kCorrupt: the totals are too low for it.
  Result<bool> Remove(BatchKey key, uint64_t count);
  // Moves each class's delivered mark to the last batch before the first undelivered one.
  Status AdvanceMarks();
  bool marks_advanced() const { return marks_advanced_; }
  // Deletes delivered batches until this transaction has deleted `limit` of them.
  Status DeleteDelivered(Deletes which, uint64_t limit);
  // In the rest of this transaction records up to `through` count as covered by a snapshot.
  void Cover(Seq through);
  // The records up to `through` need no snapshot, because none can be saved.
  void CoverWithoutSnapshot(Seq through);
  // Writes the snapshot into the older slot.
  Status SaveSnapshot(std::string_view body, Seq through);
  // True if a batch was dropped or deleted that no snapshot covers.
  bool dropped_uncovered() const { return dropped_uncovered_; }
  // True if a delivered batch is stored only because no snapshot covers it.
  bool HoldsDelivered() const;
  // Leaves that many seqs unused.
  void SkipSeqs(Seq count);
  // Drops one batch and declares it with a gap record: parked heartbeats and readings first, then
  // of class `protect` and less urgent ones. kRejected: no batch is left to drop.
  Status DropOne(RecordClass protect);
  // kFull: that many more pages do not fit.
  Status CheckFits(uint64_t pages);
  // REQUIRES: the batch has records, and its first seq is the next seq.
  Status Insert(const EncodedBatch& batch);
  // Returns the most pages that the letter takes.
  uint64_t PagesFor(const DeadLetter& letter) const;
  Status AddDeadLetters(std::span<const DeadLetter> letters);
  // Drops the oldest dead letter. False: there is none, or this transaction has dropped `limit`.
  Result<bool> DropOldestLetter(uint64_t limit);
  // Appends records of the store's own under the next seqs. REQUIRES: they are not empty and all of
  // that class.
  Status AppendOwn(RecordClass record_class, std::span<const Record> records);
  // Inserts a batch of a damaged store under the key that it had there. False: that key is taken.
  // REQUIRES: a possible key and count; the batch ends before the next seq.
  Result<bool> InsertSalvaged(const BatchRow& row);
  // Moves the delivered marks forward to those of a damaged store. REQUIRES: no batch after a mark
  // is stored.
  void RaiseMarks(const std::array<Seq, kRecordClassCount>& delivered);
  // Drops one damaged batch; its bytes become a dead letter.
  Status SetAside(const BatchRow& row, const std::string& why);
  // The last step: writes the gap records of what was dropped, and the totals unless the newest
  // row holds them.
  Status Finish();

  const StoreContents& contents() const { return contents_; }
  const ClockStamp& stamp() const { return context_.stamp; }
  StoreHandle& handle() { return context_.handle; }
  // Delivered batches that were deleted.
  const std::set<BatchKey>& deleted() const { return deleted_; }
  // Undelivered batches that were dropped.
  const std::vector<BatchKey>& dropped() const { return dropped_; }
  const std::array<uint64_t, kRecordClassCount>& dropped_records() const {
    return dropped_records_;
  }

 private:
  bool MustStay(BatchKey key, uint64_t count) const;
  Status AdvanceMark(RecordClass record_class);
  Status Drop(const BatchRow& row, std::string_view reason);
  Result<bool> DropParked(RecordClass record_class);
  Result<bool> DropFirst(RecordClass record_class, bool also_handed_out);
  template <typename Change>
  Status ChangeLetters(Change change);
  // Adds a gap about dropped dead letters if the last one is old enough, and saves what remains
  // undeclared.
  Status DeclareLetters();
  Status StoreGap(GapLedger::Entry& entry);

  Context context_;
  StoreContents& contents_;
  std::set<BatchKey> deleted_;
  std::vector<BatchKey> dropped_;
  std::array<uint64_t, kRecordClassCount> dropped_records_{};
  // Every key that Remove has deleted.
  std::set<BatchKey> removed_;
  // Records and batches that the book counts as delivered or handed out and that are still stored.
  std::array<uint64_t, kRecordClassCount> claimed_records_{};
  uint64_t claimed_batches_ = 0;
  bool marks_advanced_ = false;
  bool dropped_uncovered_ = false;
  bool is_finished_ = false;
};

}  // namespace tidegate
