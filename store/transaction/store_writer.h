// One write transaction of the store, step by step, on a copy of its books: if a step fails, the
// copy is thrown away with the transaction. Private to store/; one thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/file/store_handle.h"
#include "store/format/batch_codec.h"
#include "store/format/store_totals.h"
#include "store/transaction/delivered_batches.h"
#include "store/transaction/gap_ledger.h"

namespace tidegate {

// The store's contents, as far as it knows them without reading.
struct StoreBook {
  StoreTotals totals;
  // As the file tells them at present; nullopt: the row that told them is gone.
  std::optional<StoreTotals> saved;
  BatchKey top_key = 0;          // The row that tells them; 0 if table state does.
  uint64_t letters_dropped = 0;  // Given up by this transaction.
  // Records up to that seq are in a snapshot that is certain, so that they need not stay for
  // replay.
  Seq covered = 0;
  size_t snapshot_slot = 0;  // Of the newest snapshot.
  // Replayable ones appended since then.
  uint64_t batches_behind_snapshot = 0;
  GapLedger gaps;
};

// Whether batches of the class are input of the fold.
constexpr bool IsReplayable(RecordClass record_class) {
  return record_class >= RecordClass::kHeartbeat;
}

struct EncodedBatch {
  BatchKey key = 0;
  uint64_t count = 0;
  std::string body;
};

class StoreWriter {
 public:
  struct Context {
    StoreHandle& handle;
    BatchCodec& codec;
    const GapOrigin& origin;
    const std::string& fallback_tenant;
    const BatchCounts& handed_out;
    const DeliveredBatches& delivered;
    bool keeps_for_replay;  // What no snapshot covers.
    const ClockStamp& stamp;
  };

  enum class Deletes {
    kUrgent,  // Those of classes that are never replayed.
    kAll,     // All that need not stay for replay.
  };

  StoreWriter(const Context& context, StoreBook& book) : context_(context), book_(book) {}

  // False: it is not there.
  Result<bool> Remove(BatchKey key, uint64_t count);
  // Moves the marks behind what has been delivered without a hole.
  Status AdvanceMarks();
  bool marks_advanced() const { return marks_advanced_; }
  // Deletes batches that have been delivered, as many as one transaction may.
  Status DeleteDelivered(Deletes which, uint64_t limit);
  // From here on in this transaction records up to `through` count as covered.
  void Cover(Seq through) { book_.covered = std::max(book_.covered, through); }
  // Whether something is given up, or could be deleted, that is kept for replay.
  bool dropped_uncovered() const { return dropped_uncovered_; }
  bool HoldsDelivered() const;
  void CoverWithoutSnapshot(Seq through) {
    Cover(through);
    book_.batches_behind_snapshot = 0;
  }
  void SkipSeqs(Seq count) { book_.totals.next_seq += count; }
  Status SaveSnapshot(std::string_view body, Seq through);
  // Gives up a batch, those of class `protect` and lower first. kRejected: nothing is left to give
  // up.
  Status DropOne(RecordClass protect);
  // kFull: so many more do not fit.
  Status CheckFits(uint64_t pages);
  Status Insert(const EncodedBatch& batch);
  Status AddDeadLetters(std::span<const DeadLetter> letters);
  // Gives up one damaged batch; its bytes go to the dead letters.
  Status SetAside(const BatchRow& row, const std::string& why);
  // Writes what the steps before leave behind: gap records, and the totals if no row tells them.
  Status Finish();

  const std::set<BatchKey>& deleted() const { return deleted_; }
  const std::vector<BatchKey>& dropped() const { return dropped_; }
  const std::array<uint64_t, kRecordClassCount>& dropped_records() const {
    return dropped_records_;
  }

 private:
  bool MustStay(BatchKey key, uint64_t count) const;
  Status AdvanceMark(RecordClass record_class);
  Status Drop(const BatchRow& row, std::string_view reason);
  Result<bool> DropFirst(RecordClass record_class, bool also_handed_out);
  Status StoreGap(GapLedger::Entry& entry);

  Context context_;
  StoreBook& book_;
  std::set<BatchKey> deleted_;
  std::vector<BatchKey> dropped_;
  std::array<uint64_t, kRecordClassCount> dropped_records_{};
  bool marks_advanced_ = false;
  bool dropped_uncovered_ = false;
};

}  // namespace tidegate
