#include "store/file/batch_table.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate {
namespace {

// A count that no batch has is damage, which shows when the body is decoded. It is cut, so that
// sums of counts do not overflow.
uint64_t CountIn(const sqlite::Statement& statement) {
  constexpr auto kMax = static_cast<int64_t>(kMaxRowRecords);
  return static_cast<uint64_t>(std::clamp<int64_t>(statement.Int(1), 0, kMax));
}

// A damaged tree can lead a search to a wrong row, and a caller that continues from that row would
// run in circles.
Status CheckFollows(BatchKey key, RecordClass record_class, Seq after) {
  if (key > MakeBatchKey(record_class, after) && key < EndOfClass(record_class)) return {};
  return Error{ErrorCode::kCorrupt, "table batch: its tree is not in the order of the keys"};
}

}  // namespace

Result<BatchTable> BatchTable::PrepareReading(sqlite::Database& database) {
  BatchTable table;
  const std::pair<sqlite::Statement*, std::string_view> statements[] = {
      {&table.after_,
       "SELECT key, count, created, body FROM batch WHERE key>?1 AND key<?2 ORDER BY key LIMIT 1"},
      {&table.head_after_,
       "SELECT key, count, created FROM batch WHERE key>?1 AND key<?2 ORDER BY key LIMIT 1"}};
  for (const auto& [statement, sql] : statements) {
    if (auto status = database.PrepareInto(*statement, sql); !status.ok()) return status.error();
  }
  return table;
}

Result<BatchTable> BatchTable::Prepare(sqlite::Database& database) {
  auto table = PrepareReading(database);
  if (!table.ok()) return table;
  const std::pair<sqlite::Statement*, std::string_view> statements[] = {
      {&table->insert_,
       "INSERT INTO batch(key, count, created, body, totals) VALUES(?1, ?2, ?3, ?4, ?5)"},
      {&table->replace_, "UPDATE batch SET body=?2 WHERE key=?1"},
      {&table->delete_, "DELETE FROM batch WHERE key=?1"},
      {&table->last_,
       "SELECT key, count, created, totals FROM batch WHERE key>?1 AND key<?2 ORDER BY key DESC "
       "LIMIT 1"},
      {&table->count_after_,
       "SELECT count(*) FROM (SELECT 1 FROM batch WHERE key>?1 AND key<?2 LIMIT ?3)"},
      {&table->count_, "SELECT key, count FROM batch"}};
  for (const auto& [statement, sql] : statements) {
    if (auto status = database.PrepareInto(*statement, sql); !status.ok()) return status.error();
  }
  return table;
}

Status BatchTable::Insert(const BatchRow& row) {
  CHECK(SeqOf(row.key) != 0 && row.key < EndOfClass(kRecordClasses.back()), "the key is a batch's");
  CHECK(row.count > 0 && row.count <= kMaxRowRecords, "a row has as many records as a batch may");
  CHECK(!row.body.empty(), "a row has a body");
  return insert_.Bind(1, row.key)
      .Bind(2, static_cast<int64_t>(row.count))
      .Bind(3, row.created_ms)
      .BindBlob(4, row.body)
      .BindBlob(5, row.totals)
      .Run();
}

Status BatchTable::ReplaceBody(BatchKey key, std::string_view body) {
  CHECK(SeqOf(key) != 0, "the key is a batch's");
  CHECK(!body.empty(), "a row has a body");
  return replace_.Bind(1, key).BindBlob(2, body).Run();
}

Result<bool> BatchTable::Delete(BatchKey key) {
  CHECK(SeqOf(key) != 0, "the key is a batch's");
  if (auto status = delete_.Bind(1, key).Run(); !status.ok()) return status.error();
  return delete_.Changes() > 0;
}

Result<std::optional<BatchRow>> BatchTable::After(RecordClass record_class, Seq after) {
  const sqlite::StatementScope scope(after_);
  const auto found =
      after_.Bind(1, MakeBatchKey(record_class, after)).Bind(2, EndOfClass(record_class)).Step();
  if (!found.ok()) return found.error();
  if (!*found) return std::optional<BatchRow>();
  if (auto status = CheckFollows(after_.Int(0), record_class, after); !status.ok()) {
    return status.error();
  }
  body_ = after_.Bytes(3);
  return std::optional<BatchRow>(
      BatchRow{after_.Int(0), CountIn(after_), after_.Int(2), body_, {}});
}

Result<std::optional<BatchRow>> BatchTable::HeadAfter(RecordClass record_class, Seq after) {
  const sqlite::StatementScope scope(head_after_);
  const auto found = head_after_.Bind(1, MakeBatchKey(record_class, after))
                         .Bind(2, EndOfClass(record_class))
                         .Step();
  if (!found.ok()) return found.error();
  if (!*found) return std::optional<BatchRow>();
  if (auto status = CheckFollows(head_after_.Int(0), record_class, after); !status.ok()) {
    return status.error();
  }
  return std::optional<BatchRow>(
      BatchRow{head_after_.Int(0), CountIn(head_after_), head_after_.Int(2), {}, {}});
}

Result<std::optional<BatchRow>> BatchTable::Newest() {
  std::optional<BatchRow> newest;
  for (const RecordClass record_class : kRecordClasses) {
    const sqlite::StatementScope scope(last_);
    const auto found =
        last_.Bind(1, MakeBatchKey(record_class, 0)).Bind(2, EndOfClass(record_class)).Step();
    if (!found.ok()) return found.error();
    if (!*found || (newest && SeqOf(last_.Int(0)) < SeqOf(newest->key))) continue;
    body_ = last_.Bytes(3);
    newest = BatchRow{last_.Int(0), CountIn(last_), last_.Int(2), {}, body_};
  }
  return newest;
}

Result<uint64_t> BatchTable::CountAfter(RecordClass record_class, Seq after, uint64_t limit) {
  const sqlite::StatementScope scope(count_after_);
  const auto row = count_after_.Bind(1, MakeBatchKey(record_class, after))
                       .Bind(2, EndOfClass(record_class))
                       .Bind(3, static_cast<int64_t>(limit))
                       .Step();
  if (!row.ok()) return row.error();
  return *row ? static_cast<uint64_t>(count_after_.Int(0)) : 0;
}

Result<StoreTotals> BatchTable::Count() {
  const sqlite::StatementScope scope(count_);
  StoreTotals totals;
  for (;;) {
    const auto row = count_.Step();
    if (!row.ok()) return row.error();
    if (!*row) return totals;
    const BatchKey key = count_.Int(0);
    const auto count = CountIn(count_);
    const auto record_class = static_cast<uint64_t>(key) >> 56;
    if (record_class >= kRecordClassCount || count == 0 || SeqOf(key) == 0) {
      return Error{ErrorCode::kCorrupt, "table batch: a row with an impossible key or count"};
    }
    totals.records[record_class] += count;
    ++totals.batches;
    totals.next_seq = std::max(totals.next_seq, SeqOf(key) + count);
  }
}

}  // namespace tidegate
