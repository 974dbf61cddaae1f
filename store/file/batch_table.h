// Table batch: one row for each batch, ordered by class and then by seq through its primary key
// alone. Rows may be damaged: keys are checked to be in order, counts are cut to what a batch may
// hold, bodies are judged by their decoder. Private to store/; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/check.h"
#include "core/record.h"
#include "core/result.h"
#include "core/sqlite/database.h"
#include "core/sqlite/statement.h"
#include "store/format/batch_codec.h"
#include "store/format/store_totals.h"

namespace tidegate {

// class << 56 | first_seq.
using BatchKey = int64_t;

inline constexpr uint64_t kMaxRowRecords = BatchCodec::kMaxRecords;

// REQUIRES: first_seq <= kMaxSeq.
constexpr BatchKey MakeBatchKey(RecordClass record_class, Seq first_seq) {
  CHECK(first_seq <= kMaxSeq, "a seq fits into the key of its batch");
  return static_cast<BatchKey>(static_cast<uint64_t>(record_class) << 56 | first_seq);
}
// The first key after every key of the class.
constexpr BatchKey EndOfClass(RecordClass record_class) {
  return static_cast<BatchKey>((static_cast<uint64_t>(record_class) + 1) << 56);
}
constexpr RecordClass ClassOf(BatchKey key) {
  return static_cast<RecordClass>(key >> 56);
}
constexpr Seq SeqOf(BatchKey key) {
  return static_cast<uint64_t>(key) & ((1ull << 56) - 1);
}

struct BatchRow {
  BatchKey key = 0;
  uint64_t count = 0;
  // Wall time of the append, Unix time in ms.
  int64_t created_ms = 0;
  // Views of a row that was read live until the table's next call.
  std::string_view body;
  // Encoded StoreTotals as of this row; empty in rows of format version 1.
  std::string_view totals;
};

class BatchTable {
 public:
  static Result<BatchTable> Prepare(sqlite::Database& database);
  // Prepares After and HeadAfter only, which work on every format version. REQUIRES: no other
  // method is called.
  static Result<BatchTable> PrepareReading(sqlite::Database& database);

  // REQUIRES: a possible key, and 1 to kMaxRowRecords records.
  Status Insert(const BatchRow& row);
  Status ReplaceBody(BatchKey key, std::string_view body);
  // False: there is no such row.
  Result<bool> Delete(BatchKey key);
  // Returns the first row of the class with a first seq > `after`. kCorrupt: the tree is not in the
  // order of its keys.
  Result<std::optional<BatchRow>> After(RecordClass record_class, Seq after);
  // Returns the same row without its body and totals.
  Result<std::optional<BatchRow>> HeadAfter(RecordClass record_class, Seq after);
  // Returns the row with the highest seq of all classes, without its body.
  Result<std::optional<BatchRow>> Newest();
  // Counts the rows of the class with a first seq > `after`; stops at `limit`.
  Result<uint64_t> CountAfter(RecordClass record_class, Seq after, uint64_t limit);
  // Counts records, batches and next seq from every row's head. kCorrupt: an impossible key or
  // count.
  Result<StoreTotals> Count();

 private:
  BatchTable() = default;

  sqlite::Statement insert_;
  sqlite::Statement replace_;
  sqlite::Statement delete_;
  sqlite::Statement after_;
  sqlite::Statement head_after_;
  sqlite::Statement last_;
  sqlite::Statement count_after_;
  sqlite::Statement count_;
  std::string body_;
};

}  // namespace tidegate
