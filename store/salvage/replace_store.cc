#include "store/salvage/replace_store.h"

#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/sqlite/transaction.h"
#include "store/file/schema.h"
#include "store/salvage/log_scan.h"
#include "store/salvage/page_scan.h"
#include "store/salvage/set_aside.h"

namespace tidegate {
namespace {

// What the tree of table state leads to in the damaged file.
struct OldState {
  // 0: it does not read.
  uint64_t least_version = 0;
  // Rows of Store::ReadValue. They are few and small, and their owners may ask for them at once.
  std::vector<std::pair<std::string, std::string>> values;
};

OldState ReadOldState(ByteSource& database, ByteSource* log, uint64_t max_bytes) {
  const LogScan logged = log != nullptr ? ScanLog(*log) : LogScan();
  PageImage image(database, log, logged);
  PageScan scan(image);
  OldState state;
  uint64_t bytes = 0;
  scan.RunTable(StoreTable::kState, [&](const FoundRow& row) {
    const auto columns = row.payload ? ParseRecord(*row.payload) : std::nullopt;
    if (!columns || columns->size() != 2) return;
    const std::string_view name = (*columns)[0].bytes, body = (*columns)[1].bytes;
    if (name == kStateLeastVersion) {
      std::from_chars(body.data(), body.data() + body.size(), state.least_version);
    }
    bytes +=
        name.starts_with(kStateValuePrefix) ? PagesForRow(row.payload->size()) * kFrameBytes : 0;
    if (name.starts_with(kStateValuePrefix) && bytes <= max_bytes) {
      state.values.emplace_back(name, body);
    }
  });
  return state;
}

// kInvalid: a later version wrote the file.
Result<OldState> ReadOldState(const StoreFile& file, bool with_log) {
  auto log = FileBytes::Open(file.path + "-wal", file.vfs, true);
  auto database = FileBytes::Open(file.path, file.vfs, false);
  if (!database.ok() && !log.ok()) return database.error();
  MemoryBytes nothing("");
  OldState state =
      ReadOldState(database.ok() ? static_cast<ByteSource&>(**database) : nothing,
                   with_log && log.ok() ? log->get() : nullptr, file.budget.log_reserve_bytes / 4);
  if (state.least_version <= static_cast<uint64_t>(kStoreVersion)) return state;
  return Error{ErrorCode::kInvalid,
               fmt::format("{}: a later Tidegate wrote it (format {}, this one reads up to {})",
                           file.path, state.least_version, kStoreVersion)};
}

Status WriteRows(sqlite::Database& database, const ReplaceOrder& order, const SalvageJob& job,
                 const OldState& old) {
  auto transaction = sqlite::Transaction::Begin(database);
  if (!transaction.ok()) return transaction.error();
  auto status = WriteState(database, kStateTotals, EncodeTotals(order.totals));
  if (status.ok()) status = WriteState(database, job.RowName(), EncodeSalvageJob(job));
  for (const auto& [name, body] : old.values) {
    if (status.ok()) status = WriteState(database, name, body);
  }
  for (const SalvageJob& other : order.others) {
    if (status.ok()) status = WriteState(database, other.RowName(), EncodeSalvageJob(other));
  }
  return status.ok() ? transaction->Commit() : status;
}

// Builds the new store and closes it, whole in its one file.
Status Build(const StoreFile& file, const ReplaceOrder& order, const SalvageJob& job,
             const OldState& old) {
  auto handle = StoreHandle::Open(file);
  if (!handle.ok()) return handle.error();
  auto status = (*handle)->SetSync(true);
  if (status.ok()) status = WriteRows((*handle)->database(), order, job, old);
  return status.ok() ? (*handle)->EmptyLog() : status;
}

}  // namespace

Result<SalvageJob> ReplaceStore(const ReplaceOrder& order) {
  const auto old = ReadOldState(order.file, order.job.with_log != 0);
  if (!old.ok()) return old.error();
  auto path = BeginReplacement(order.file.path);
  if (!path.ok()) return path.error();
  StoreFile file = order.file;
  file.path = *path;
  // Nothing of it has been moved yet.
  const std::string aside = FreeAsidePath(order.file.path, Aside::kKept, order.now);
  SalvageJob job = order.job;
  job.aside_name = aside.substr(order.file.path.size());
  job.since_ms = static_cast<uint64_t>(order.now.time_since_epoch().count());
  auto status = Build(file, order, job, *old);
  if (status.ok()) status = Replace(order.file.path, aside);
  if (!status.ok()) return status.error();
  return job;
}

}  // namespace tidegate
