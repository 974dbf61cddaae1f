#include "store/file/migrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/check.h"
#include "core/sqlite/transaction.h"
#include "store/file/batch_table.h"
#include "store/file/dead_letter_table.h"
#include "store/file/schema.h"
#include "store/format/snapshot_body.h"
#include "store/format/store_totals.h"

namespace tidegate {
namespace {

constexpr std::string_view kOldStateNextSeq = "next_seq";

// Version 1 had no totals; its next seq was decimal, and counted only if it was above every row.
Result<StoreTotals> CountVersion1(sqlite::Database& database) {
  auto batches = BatchTable::Prepare(database);
  if (!batches.ok()) return batches.error();
  auto totals = batches->Count();
  if (!totals.ok()) return totals;
  auto letters = DeadLetterTable::Prepare(database, 0, 0);
  if (!letters.ok()) return letters.error();
  const auto letter_totals = letters->Totals();
  if (!letter_totals.ok()) return letter_totals.error();
  totals->letters = letter_totals->letters;
  totals->letter_bytes = letter_totals->bytes;
  const auto saved = ReadState(database, kOldStateNextSeq);
  if (!saved.ok()) return saved.error();
  Seq next_seq = 1;
  if (*saved) {
    std::from_chars((*saved)->data(), (*saved)->data() + (*saved)->size(), next_seq);
  }
  totals->next_seq = std::max(totals->next_seq, next_seq);
  if (totals->next_seq > kMaxFoundSeq) {
    return Error{ErrorCode::kCorrupt, "migrate: impossible next seq"};
  }
  return totals;
}

// Version 1 to 2: totals and snapshots. REQUIRES: table dead_letter is that of the newest version.
Status AddTotals(sqlite::Database& database) {
  auto status = database.Execute("ALTER TABLE batch ADD COLUMN totals BLOB");
  if (!status.ok()) return status;
  const auto totals = CountVersion1(database);
  if (!totals.ok()) return totals.error();
  status = WriteState(database, kStateTotals, EncodeTotals(*totals));
  // Nothing has been folded, and the backlog is not to be: its alerts were raised when it came.
  if (status.ok()) {
    status = WriteState(database, kStateSnapshots[0], EncodeSnapshot("", totals->next_seq - 1));
  }
  return status.ok() ? DeleteState(database, kOldStateNextSeq) : status;
}

// Version 2 to 3: the whole size of a dead letter's payload, null in the rows so far.
Status AddWholeBytes(sqlite::Database& database) {
  return database.Execute("ALTER TABLE dead_letter ADD COLUMN whole_bytes INTEGER");
}

Status Rewrite(int64_t version, sqlite::Database& database) {
  auto status = AddWholeBytes(database);
  if (status.ok() && version < 2) status = AddTotals(database);
  if (status.ok()) {
    status = WriteState(database, kStateLeastVersion, fmt::format("{}", kLeastVersion));
  }
  if (!status.ok()) return status;
  return database.Execute(fmt::format("PRAGMA user_version={}", kStoreVersion));
}

}  // namespace

Status MigrateFrom(int64_t version, sqlite::Database& database) {
  CHECK(version < kStoreVersion, "only an earlier version is migrated");
  auto transaction = sqlite::Transaction::Begin(database);
  if (!transaction.ok()) return transaction.error();
  if (auto status = Rewrite(version, database); !status.ok()) return status;
  return transaction->Commit();
}

}  // namespace tidegate
