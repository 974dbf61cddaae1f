#include "store/inspect.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include "core/sqlite/database.h"
#include "core/sqlite/statement.h"
#include "store/file/batch_table.h"
#include "store/file/file_lock.h"
#include "store/file/schema.h"
#include "store/format/batch_codec.h"
#include "store/inspect_found.h"

namespace tidegate {
namespace {

std::string EscapedForUri(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      out += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
  return out;
}

// An agent that has stopped leaves a log without a header: its blocks are kept for the next one.
bool HasLog(const std::string& path) {
  std::ifstream log(path + "-wal", std::ios::binary);
  return log.get() == 0x37;  // Of the magic number, big endian (sqlite.org/fileformat2.html).
}

// Returns the mode that leaves no files and touches none of an agent that has stopped.
std::string_view ModeFor(const std::string& path) {
  if (FileLock::IsHeld(LockPath(path))) return "mode=ro";
  if (!HasLog(path)) return "immutable=1";
  return std::filesystem::exists(path + "-shm") ? "mode=ro&readonly_shm=1" : "mode=ro";
}

Result<sqlite::Database> OpenReadOnly(const std::string& path) {
  const std::string uri = fmt::format("file:{}?{}", EscapedForUri(path), ModeFor(path));
  auto database = sqlite::Database::Open(uri, {.access = sqlite::OpenOptions::Access::kReadOnly,
                                               .is_uri = true,
                                               .sql_in_errors = true,
                                               .too_big = ErrorCode::kUnavailable});
  if (!database.ok()) return database.error();
  database->SetBusyTimeout(std::chrono::seconds(2));
  sqlite3_db_config(database->get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (auto status = CheckStoreDatabase(*database, path); !status.ok()) return status.error();
  return database;
}

// All batches in the order of their seqs, whatever their class, one short read at a time.
class SeqOrder {
 public:
  static Result<SeqOrder> Over(sqlite::Database& database, std::optional<RecordClass> only,
                               Seq from) {
    auto table = BatchTable::PrepareReading(database);
    if (!table.ok()) return table.error();
    SeqOrder order(std::move(*table));
    for (const RecordClass record_class : kRecordClasses) {
      if (only && *only != record_class) continue;
      if (auto status = order.Peek(record_class, from == 0 ? 0 : from - 1); !status.ok())
        return status.error();
    }
    return order;
  }

  // The view lives until the next call. After an error the rest of that class is left out.
  Result<std::optional<BatchRow>> Next() {
    const auto first = std::min_element(heads_.begin(), heads_.end(), [](BatchKey a, BatchKey b) {
      return (a == 0 ? UINT64_MAX : SeqOf(a)) < (b == 0 ? UINT64_MAX : SeqOf(b));
    });
    const BatchKey key = std::exchange(*first, 0);
    if (key == 0) return std::optional<BatchRow>();
    if (auto status = Peek(ClassOf(key), SeqOf(key)); !status.ok()) return status.error();
    auto row = table_.After(ClassOf(key), SeqOf(key) - 1);
    // The agent may have deleted it in the meantime.
    if (row.ok() && *row && (*row)->key != key) return Next();
    return row;
  }

 private:
  explicit SeqOrder(BatchTable table) : table_(std::move(table)) {}

  Status Peek(RecordClass record_class, Seq after) {
    auto head = table_.HeadAfter(record_class, after);
    if (!head.ok()) return head.error();
    heads_[static_cast<size_t>(record_class)] = *head ? (*head)->key : 0;
    return {};
  }

  BatchTable table_;
  std::array<BatchKey, kRecordClassCount> heads_{};
};

class Verifier {
 public:
  explicit Verifier(sqlite::Database& database) : database_(database) {}

  VerifyReport Run() {
    CheckPages();
    CheckBatches();
    const auto letters = database_.Query("SELECT count(*) FROM dead_letter");
    if (letters.ok()) {
      report_.dead_letters = static_cast<uint64_t>(*letters);
    } else {
      Find(letters.error().message);
    }
    return std::move(report_);
  }

 private:
  void Find(std::string finding) {
    if (report_.findings.size() < VerifyReport::kMaxFindings)
      report_.findings.push_back(std::move(finding));
  }

  void CheckPages() {
    auto statement = database_.Prepare("PRAGMA integrity_check");
    if (!statement.ok()) return Find(statement.error().message);
    for (;;) {
      const auto row = statement->Step();
      if (!row.ok()) return Find(row.error().message);
      if (!*row) return;
      if (statement->Bytes(0) != "ok") Find(fmt::format("database: {}", statement->Bytes(0)));
    }
  }

  void CheckBatches() {
    auto order = SeqOrder::Over(database_, std::nullopt, 0);
    if (!order.ok()) return Find(order.error().message);
    // A table that cannot be read on would give the same error for ever.
    for (int errors = 0; errors < 8;) {
      const auto row = order->Next();
      if (!row.ok()) {
        ++errors;
        Find(fmt::format("table batch: {}", row.error().message));
      } else if (!*row) {
        return;
      } else {
        CheckBatch(**row);
      }
    }
  }

  void CheckBatch(const BatchRow& row) {
    const std::string name =
        fmt::format("{} batch {}", RecordClassName(ClassOf(row.key)), SeqOf(row.key));
    ++report_.batches;
    report_.records += row.count;
    if (SeqOf(row.key) < next_seq_)
      Find(name + ": its seqs overlap with those of the batch before");
    next_seq_ = SeqOf(row.key) + row.count;
    const auto batch = codec_.Decode(row.body);
    if (!batch.ok()) return Find(fmt::format("{}: {}", name, batch.error().message));
    if (MakeBatchKey(batch->record_class, batch->first_seq) != row.key) {
      Find(fmt::format("{}: its body is that of {} batch {}", name,
                       RecordClassName(batch->record_class), batch->first_seq));
    }
    if (batch->records.size() != row.count) {
      Find(fmt::format("{}: {} records, its row says {}", name, batch->records.size(), row.count));
    }
  }

  sqlite::Database& database_;
  BatchCodec codec_;
  VerifyReport report_;
  Seq next_seq_ = 0;
};

// Where the newest `last` records begin.
Result<Seq> FirstOfLast(sqlite::Database& database, const RecordFilter& filter) {
  if (!filter.last) return Seq{0};
  std::vector<std::pair<Seq, uint64_t>> newest;  // First seq and count.
  for (const RecordClass record_class : kRecordClasses) {
    if (filter.record_class && *filter.record_class != record_class) continue;
    auto statement =
        database.Prepare("SELECT key, count FROM batch WHERE key>?1 AND key<?2 ORDER BY key DESC");
    if (!statement.ok()) return statement.error();
    statement->Bind(1, MakeBatchKey(record_class, 0)).Bind(2, EndOfClass(record_class));
    for (uint64_t records = 0; records < *filter.last;) {
      const auto row = statement->Step();
      if (!row.ok()) return row.error();
      if (!*row) break;
      const auto count = static_cast<uint64_t>(statement->Int(1));
      newest.emplace_back(SeqOf(statement->Int(0)), count);
      records += std::max<uint64_t>(count, 1);
    }
  }
  std::sort(newest.rbegin(), newest.rend());
  uint64_t left = *filter.last;
  for (const auto& [first_seq, count] : newest) {
    if (count >= left) return first_seq + count - left;
    left -= count;
  }
  return Seq{0};
}

Result<std::string> EpochOf(sqlite::Database& database, const std::string& path) {
  auto epoch = ReadState(database, kStateEpoch);
  if (!epoch.ok()) return epoch.error();
  if (!*epoch) return Error{ErrorCode::kCorrupt, fmt::format("open {}: it has no epoch", path)};
  return **epoch;
}

// The column of a letter's whole size, or what stands for it in a file that no agent has migrated.
Result<std::string_view> WholeBytesColumn(sqlite::Database& database) {
  const auto columns = database.Query(
      "SELECT count(*) FROM pragma_table_info('dead_letter') WHERE name='whole_bytes'");
  if (!columns.ok()) return columns.error();
  return std::string_view(*columns > 0 ? "whole_bytes" : "NULL");
}

}  // namespace

Result<VerifyReport> Verify(const std::string& path) {
  auto database = OpenReadOnly(path);
  if (database.ok()) {
    VerifyReport report = Verifier(*database).Run();
    if (!report.ok()) AddFound(path, report);
    return report;
  }
  if (database.error().code != ErrorCode::kCorrupt) return database.error();
  return VerifyFound(path, database.error().message);
}

Result<VisitCounts> ForEachRecord(const std::string& path, const RecordFilter& filter,
                                  const RecordVisitor& visit) {
  VisitCounts counts;
  auto database = OpenReadOnly(path);
  if (!database.ok()) return database.error();
  const auto from = FirstOfLast(*database, filter);
  if (!from.ok()) return from.error();
  if (filter.last == 0u) return counts;
  const auto epoch = EpochOf(*database, path);
  if (!epoch.ok()) return epoch.error();
  auto order = SeqOrder::Over(*database, filter.record_class, 0);
  if (!order.ok()) return order.error();
  BatchCodec codec;
  for (;;) {
    const auto row = order->Next();
    if (!row.ok()) return row.error();
    if (!*row) return counts;
    if (SeqOf((*row)->key) + (*row)->count <= *from) continue;
    const auto batch = codec.Decode((*row)->body);
    if (!batch.ok()) {
      ++counts.damaged_batches;
      continue;
    }
    if (!VisitRecords(*batch, *epoch, *from, visit, counts)) return counts;
  }
}

Result<uint64_t> ForEachDeadLetter(const std::string& path, std::optional<uint64_t> last,
                                   const DeadLetterVisitor& visit) {
  auto database = OpenReadOnly(path);
  if (!database.ok()) return database.error();
  auto start = database->Prepare(
      "SELECT min(id) FROM (SELECT id FROM dead_letter ORDER BY id DESC LIMIT ?1)");
  const auto sizes = WholeBytesColumn(*database);
  if (!sizes.ok()) return sizes.error();
  auto statement = database->Prepare(
      fmt::format("SELECT id, input, origin, reason, payload, time, {} FROM dead_letter "
                  "WHERE id>=?1 ORDER BY id LIMIT 1",
                  *sizes));
  if (!start.ok() || !statement.ok()) return start.ok() ? statement.error() : start.error();
  const auto found = start->Bind(1, last ? static_cast<int64_t>(*last) : -1).Step();
  if (!found.ok()) return found.error();
  int64_t id = *found ? start->Int(0) : 0;
  start->Reset();
  for (uint64_t letters = 0;; ++letters) {
    DeadLetter letter;
    {
      const sqlite::StatementScope scope(*statement);
      const auto row = statement->Bind(1, id).Step();
      if (!row.ok()) return row.error();
      if (!*row || last == 0u) return letters;
      id = statement->Int(0);
      letter = {std::string(statement->Bytes(1)),
                std::string(statement->Bytes(2)),
                std::string(statement->Bytes(3)),
                std::string(statement->Bytes(4)),
                WallTime(std::chrono::milliseconds(statement->Int(5))),
                static_cast<uint64_t>(std::max<int64_t>(statement->Int(6), 0))};
    }
    if (!visit(id, letter)) return letters + 1;
    ++id;
  }
}

Result<std::string> ReadEpoch(const std::string& path) {
  auto database = OpenReadOnly(path);
  if (!database.ok()) return database.error();
  return EpochOf(*database, path);
}

}  // namespace tidegate
