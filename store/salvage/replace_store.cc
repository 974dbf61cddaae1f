#include "store/salvage/replace_store.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <utility>

#include "core/sqlite/transaction.h"
#include "store/file/schema.h"
#include "store/salvage/log_scan.h"
#include "store/salvage/page_scan.h"
#include "store/salvage/set_aside.h"

namespace tidegate {
namespace {

// Returns the row `least_version` of table state; 0 if it does not read.
uint64_t LeastVersionIn(ByteSource& database, ByteSource* log) {
  const LogScan logged = log != nullptr ? ScanLog(*log) : LogScan();
  PageImage image(database, log, logged);
  PageScan scan(image);
  uint64_t least = 0;
  scan.RunTable(StoreTable::kState, [&](const FoundRow& row) {
    const auto columns = row.payload ? ParseRecord(*row.payload) : std::nullopt;
    if (!columns || columns->size() != 2 || (*columns)[0].bytes != kStateLeastVersion) return;
    const std::string_view text = (*columns)[1].bytes;
    std::from_chars(text.data(), text.data() + text.size(), least);
  });
  return least;
}

Status CheckVersion(const StoreFile& file, bool with_log) {
  auto log = FileBytes::Open(file.path + "-wal", file.vfs, true);
  auto database = FileBytes::Open(file.path, file.vfs, false);
  if (!database.ok() && !log.ok()) return database.error();
  MemoryBytes nothing("");
  const uint64_t least =
      LeastVersionIn(database.ok() ? static_cast<ByteSource&>(**database) : nothing,
                     with_log && log.ok() ? log->get() : nullptr);
  if (least <= static_cast<uint64_t>(kStoreVersion)) return {};
  return Error{ErrorCode::kInvalid,
               fmt::format("{}: a later Tidegate wrote it (format {}, this one reads up to {})",
                           file.path, least, kStoreVersion)};
}

Status WriteRows(sqlite::Database& database, const ReplaceOrder& order, const SalvageJob& job) {
  auto transaction = sqlite::Transaction::Begin(database);
  if (!transaction.ok()) return transaction.error();
  auto status = WriteState(database, kStateTotals, EncodeTotals(order.totals));
  if (status.ok()) status = WriteState(database, job.RowName(), EncodeSalvageJob(job));
  for (const SalvageJob& other : order.others) {
    if (status.ok()) status = WriteState(database, other.RowName(), EncodeSalvageJob(other));
  }
  return status.ok() ? transaction->Commit() : status;
}

// Builds the new store and closes it, whole in its one file.
Status Build(const StoreFile& file, const ReplaceOrder& order, const SalvageJob& job) {
  auto handle = StoreHandle::Open(file);
  if (!handle.ok()) return handle.error();
  auto status = (*handle)->SetSync(true);
  if (status.ok()) status = WriteRows((*handle)->database(), order, job);
  return status.ok() ? (*handle)->EmptyLog() : status;
}

}  // namespace

Result<SalvageJob> ReplaceStore(const ReplaceOrder& order) {
  auto status = CheckVersion(order.file, order.job.with_log != 0);
  if (!status.ok()) return status.error();
  auto path = BeginReplacement(order.file.path);
  if (!path.ok()) return path.error();
  StoreFile file = order.file;
  file.path = *path;
  // Nothing of it has been moved yet.
  const std::string aside = FreeAsidePath(order.file.path, Aside::kKept, order.now);
  SalvageJob job = order.job;
  job.aside_name = aside.substr(order.file.path.size());
  job.since_ms = static_cast<uint64_t>(order.now.time_since_epoch().count());
  status = Build(file, order, job);
  if (status.ok()) status = Replace(order.file.path, aside);
  if (!status.ok()) return status.error();
  return job;
}

}  // namespace tidegate
