// Reads a store's file without SQLite: its batches, dead letters and state, and which batches are
// missing. For files that SQLite refuses, and for those that were set aside. Reads hostile bytes,
// changes nothing. Private to store/; one thread.
//
// Known loss: a log whose end is cut off or garbled looks like one after a power cut, so batches
// after that place are not reported as missing.
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
  // Key and count of the body, which a checksum covers.
  BatchKey key = 0;
  uint64_t count = 0;
  RowPlace place;
  // False: no tree leads to it, so it may have been delivered or dropped already.
  bool sure = false;
};

// A range of seqs of a class, some of which may have been lost.
struct LostSeqs {
  RecordClass record_class = RecordClass::kHeartbeat;
  Seq first = 0;
  Seq last = 0;
  // The most records that can be missing, because some may have been delivered already; 0: unknown.
  uint64_t most = 0;
  std::string_view reason = kGapDamaged;
};

class StoreScan {
 public:
  // Opens the file at `path` and its log; one of the two may be missing. kUnavailable: neither can
  // be opened.
  static Result<std::unique_ptr<StoreScan>> Open(const std::string& path, const std::string& vfs,
                                                 bool with_log = true);
  // `log` may be null. Both outlive the scan.
  StoreScan(ByteSource& database, ByteSource* log);

  // Reads on for one cell or page. False: everything was read, and the getters below return what
  // was found.
  bool Step();
  // Steps to the end. REQUIRES: the scan has not begun.
  void Run();
  // How many pages were read so far, some of them more than once.
  uint64_t pages_read() const { return image_.pages_read(); }
  // The part of the file that was read, from 0 to 1.
  double progress() const;

  // In the order of their keys; no two share a seq.
  const std::vector<FoundBatch>& batches() const { return batches_; }
  const std::vector<std::pair<int64_t, RowPlace>>& letters() const { return letters_; }
  const std::map<std::string, std::string, std::less<>>& state() const { return state_; }
  const std::vector<std::string>& findings() const { return findings_; }
  // The highest delivered mark of each class that any row holds: StoreTotals::delivered.
  const std::array<Seq, kRecordClassCount>& delivered() const { return delivered_; }
  // True if anything in the file is a store's.
  bool is_store() const { return is_store_; }
  // Returns what is missing, judged by the seqs that are there. `next_seq` is the first seq that
  // was never used; 0: unknown.
  std::vector<LostSeqs> Lost(Seq next_seq) const;

  struct Row {
    std::string body;
    int64_t created_ms = 0;
  };
  // Reads the row of a batch again; nullopt if that fails now.
  std::optional<Row> Load(const FoundBatch& batch);
  std::optional<DeadLetter> Letter(RowPlace place);

 private:
  void Finish();
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
  // Rows of table batch whose body is damaged, with their counts; 0: unknown.
  std::vector<std::pair<BatchKey, uint64_t>> unreadable_;
  std::array<Seq, kRecordClassCount> delivered_{};
  std::vector<std::string> findings_;
  bool is_store_ = false;
  bool is_finished_ = false;
};

}  // namespace tidegate
