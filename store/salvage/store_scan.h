// What can be read of a store's file without SQLite: its batches, dead letters and state, and where
// some are missing. For files that SQLite refuses, and for those that were set aside. Changes
// nothing. Private to store/; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/record.h"
#include "core/result.h"
#include "store/file/batch_table.h"
#include "store/format/gap_record.h"
#include "store/salvage/byte_source.h"
#include "store/salvage/log_scan.h"
#include "store/salvage/page_image.h"
#include "store/salvage/page_scan.h"
#include "store/store.h"

namespace tidegate {

struct FoundBatch {
  BatchKey key = 0;  // As its body says, which a checksum covers.
  uint64_t count = 0;
  RowPlace place;
  // False: it was found where nothing leads to, so it may have been delivered or given up before.
  bool sure = false;
};

// Seqs that may have been lost with batches of that class.
struct LostSeqs {
  RecordClass record_class = RecordClass::kHeartbeat;
  Seq first = 0;
  Seq last = 0;
  // Records: at most so many, because some may have been delivered before. 0: nobody knows how many
  // of them there ever were, or were still there.
  uint64_t most = 0;
  std::string_view reason = kGapDamaged;
};

class StoreScan {
 public:
  // Of what lies at `path` and, if that is there, of its log; one of the two may be missing.
  // kUnavailable: it cannot be opened.
  static Result<std::unique_ptr<StoreScan>> Open(const std::string& path, const std::string& vfs,
                                                 bool with_log = true);
  // `log` may be null. Both outlive it.
  StoreScan(ByteSource& database, ByteSource* log);

  void Run();

  // In the order of their keys; no two share a seq.
  const std::vector<FoundBatch>& batches() const { return batches_; }
  const std::vector<std::pair<int64_t, RowPlace>>& letters() const { return letters_; }
  const std::map<std::string, std::string, std::less<>>& state() const { return state_; }
  const std::vector<std::string>& findings() const { return findings_; }
  // First seqs: up to that batch of the class everything has been delivered, as far as rows tell.
  const std::array<Seq, kRecordClassCount>& delivered() const { return delivered_; }
  // Whether anything in it is a store's.
  bool is_store() const { return is_store_; }
  // What is missing, as far as the numbers of what is there tell. `next_seq`: behind the last one
  // that was given out; 0: nobody knows.
  std::vector<LostSeqs> Lost(Seq next_seq) const;

  struct Row {
    std::string body;
    int64_t created_ms = 0;
  };
  // The row of a batch; nullopt if it does not read again.
  std::optional<Row> Load(const FoundBatch& batch);
  std::optional<DeadLetter> Letter(RowPlace place);

 private:
  void Take(const FoundRow& row);
  bool TakeBatch(const FoundRow& row, const std::vector<Column>& columns);
  void TakeUnreadable(const FoundRow& row);
  void LearnTotals(std::string_view bytes);
  void Sort();
  void Find(std::string finding);
  std::optional<std::string> Payload(RowPlace place);

  std::unique_ptr<ByteSource> database_file_;
  std::unique_ptr<ByteSource> log_file_;
  LogScan log_;
  PageImage image_;
  PageScan pages_;
  std::vector<FoundBatch> batches_;
  std::vector<std::pair<int64_t, RowPlace>> letters_;
  std::map<std::string, std::string, std::less<>> state_;
  std::vector<std::pair<BatchKey, uint64_t>> unreadable_;  // Rows with their counts.
  std::array<Seq, kRecordClassCount> delivered_{};
  std::vector<std::string> findings_;
  bool is_store_ = false;
};

}  // namespace tidegate
