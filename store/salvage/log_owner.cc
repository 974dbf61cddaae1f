#include "store/salvage/log_owner.h"

#include <set>
#include <utility>

#include "store/file/schema.h"
#include "store/format/batch_codec.h"
#include "store/salvage/page_scan.h"
#include "store/salvage/store_scan.h"

namespace tidegate {
namespace {

// Returns the epoch in table state; empty if there is none.
std::string EpochOf(PageImage& image) {
  std::string epoch;
  PageScan scan(image);
  scan.RunTable(StoreTable::kState, [&](const FoundRow& row) {
    const auto columns = row.payload ? ParseRecord(*row.payload) : std::nullopt;
    if (columns && columns->size() == 2 && (*columns)[0].bytes == kStateEpoch) {
      epoch = (*columns)[1].bytes;
    }
  });
  return epoch;
}

// Returns the epoch of a row of table batch; empty: it is no such row, or of format version 1.
std::string EpochOf(const Cell& cell, BatchCodec& codec) {
  const auto columns = cell.payload ? ParseRecord(*cell.payload) : std::nullopt;
  if (!columns || columns->size() < 4) return {};
  const auto batch = codec.Decode((*columns)[3].bytes);
  return batch.ok() && batch->numbering ? batch->numbering->epoch : std::string();
}

// The epochs of the batches on the log's pages. Ends at the first one that is `ours`.
std::set<std::string> EpochsIn(PageImage& image, const LogScan& log, const std::string& ours) {
  std::set<std::string> epochs;
  BatchCodec codec;
  Page page;
  for (const auto& [number, offset] : log.pages) {
    if (!image.Read(number, page) || page.type != Page::kTableLeaf) continue;
    for (uint32_t i = 0; i < page.cells; ++i) {
      const auto cell = image.ReadCell(page, i);
      std::string epoch = cell ? EpochOf(*cell, codec) : std::string();
      if (epoch == ours && !epoch.empty()) return {std::move(epoch)};
      if (!epoch.empty()) epochs.insert(std::move(epoch));
    }
  }
  return epochs;
}

// Returns true if the database holds a batch of one of the epochs. Salvaged batches name the epoch
// of an earlier store, and then the database has some of them.
bool Holds(ByteSource& database, const std::set<std::string>& epochs) {
  StoreScan scan(database, nullptr);
  scan.Run();
  BatchCodec codec;
  for (const FoundBatch& found : scan.batches()) {
    const auto row = scan.Load(found);
    if (!row) continue;
    const auto batch = codec.Decode(row->body);
    if (batch.ok() && batch->numbering && epochs.contains(batch->numbering->epoch)) return true;
  }
  return false;
}

}  // namespace

LogOwner OwnerOfLog(ByteSource& database, ByteSource& log) {
  const LogScan scan = ScanLog(log);
  if (scan.frames == 0) return LogOwner::kOurs;
  if (database.size() == 0) return LogOwner::kNobody;
  const LogScan no_log;
  PageImage alone(database, nullptr, no_log);
  PageImage both(database, &log, scan);
  const std::string ours = EpochOf(alone);
  // The epoch is not in the database yet, or damaged: the check that follows finds out.
  if (ours.empty()) return LogOwner::kOurs;
  const std::string logged = EpochOf(both);
  if (!logged.empty() && logged != ours) return LogOwner::kStranger;
  const auto epochs = EpochsIn(both, scan, ours);
  if (epochs.empty() || epochs.contains(ours)) return LogOwner::kOurs;
  return Holds(database, epochs) ? LogOwner::kOurs : LogOwner::kStranger;
}

LogOwner OwnerOfLog(const std::string& path, const std::string& vfs) {
  auto log = FileBytes::Open(path + "-wal", vfs, true);
  if (!log.ok()) return LogOwner::kOurs;
  auto database = FileBytes::Open(path, vfs, false);
  MemoryBytes nothing("");
  return database.ok() ? OwnerOfLog(**database, **log) : OwnerOfLog(nothing, **log);
}

}  // namespace tidegate
