// One write transaction of the store, step by step, on a copy of its books: if a step fails, the
// copy is thrown away with the transaction. Private to store/; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "store/batch_codec.h"
#include "store/gap_ledger.h"
#include "store/store_handle.h"

namespace tidegate {

// What the store knows of its contents without reading them.
struct StoreBook {
  std::array<uint64_t, kRecordClassCount>
      records{};  // Stored; those whose delete is pending included.
  uint64_t batches = 0;
  Seq next_seq = 1;
  Seq saved_next_seq = 1;  // In table state.
  BatchKey top_key =
      0;  // The batch that ends right before next_seq; 0: it is gone, so next_seq must be saved.
  DeadLetterTotals letters;
  GapLedger gaps;
};

// Keys of batches that have been handed out or delivered, with their numbers of records.
using BatchCounts = std::map<BatchKey, uint64_t>;

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
    const BatchCounts& delivered;
    const ClockStamp& stamp;
  };

  StoreWriter(const Context& context, StoreBook& book) : context_(context), book_(book) {}

  // Deletes batches that have been delivered, as many as one transaction may.
  Status DeleteDelivered(uint64_t limit);
  // Gives up batches until `pages` fit, those of class `protect` and lower first. kRejected:
  // nothing is left to give up.
  Status DropUntilFits(uint64_t pages, RecordClass protect);
  // kFull: they do not fit.
  Status CheckFits(uint64_t pages);
  Status Insert(const EncodedBatch& batch);
  Status AddDeadLetters(std::span<const DeadLetter> letters);
  // Gives up one damaged batch; its bytes go to the dead letters.
  Status SetAside(const BatchRow& row, const std::string& why);
  // Writes what the steps before leave behind: gap records, and the next seq if no stored batch
  // shows it.
  Status Finish();

  const std::vector<BatchKey>& deleted() const { return deleted_; }
  const std::vector<BatchKey>& dropped() const { return dropped_; }
  const std::array<uint64_t, kRecordClassCount>& dropped_records() const {
    return dropped_records_;
  }

 private:
  Status Remove(BatchKey key, uint64_t count);
  Status Drop(const BatchRow& row, std::string_view reason);
  Status DropOne(RecordClass protect);
  Result<bool> DropFirst(RecordClass record_class, bool also_handed_out);
  Status StoreGap(GapLedger::Entry& entry);

  Context context_;
  StoreBook& book_;
  std::vector<BatchKey> deleted_;
  std::vector<BatchKey> dropped_;
  std::array<uint64_t, kRecordClassCount> dropped_records_{};
};

}  // namespace tidegate
