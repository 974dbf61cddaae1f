#include "store/file/migrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

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

Status Rewrite(sqlite::Database& database) {
  auto status = database.Execute("ALTER TABLE batch ADD COLUMN totals BLOB");
  if (!status.ok()) return status;
  const auto totals = CountVersion1(database);
  if (!totals.ok()) return totals.error();
  status = WriteState(database, kStateTotals, EncodeTotals(*totals));
  // Nothing has been folded, and the backlog is not to be: its alerts were raised when it came.
  if (status.ok()) {
    status = WriteState(database, kStateSnapshots[0], EncodeSnapshot("", totals->next_seq - 1));
  }
  if (status.ok()) status = DeleteState(database, kOldStateNextSeq);
  if (status.ok()) {
    status = WriteState(database, kStateLeastVersion, fmt::format("{}", kStoreVersion));
  }
  if (!status.ok()) return status;
  return database.Execute(fmt::format("PRAGMA user_version={}", kStoreVersion));
}

}  // namespace

Status MigrateFromVersion1(sqlite::Database& database) {
  auto transaction = sqlite::Transaction::Begin(database);
  if (!transaction.ok()) return transaction.error();
  if (auto status = Rewrite(database); !status.ok()) return status;
  return transaction->Commit();
}

}  // namespace tidegate
