#include "store/salvage/log_owner.h"

#include <set>
#include <utility>

#include "store/file/schema.h"
#include "store/format/batch_codec.h"
#include "store/salvage/page_scan.h"

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
std::string EpochOf(const std::vector<Column>& columns, BatchCodec& codec) {
  if (columns.size() < 4) return {};
  const auto batch = codec.Decode(columns[3].bytes);
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
      const auto columns = cell && cell->payload ? ParseRecord(*cell->payload) : std::nullopt;
      std::string epoch = columns ? EpochOf(*columns, codec) : std::string();
      if (epoch == ours && !epoch.empty()) return {std::move(epoch)};
      if (!epoch.empty()) epochs.insert(std::move(epoch));
    }
  }
  return epochs;
}

// Returns true if the database holds a batch of one of the epochs. Salvaged batches name the epoch
// of an earlier store, and then the database has some of them.
bool Holds(ByteSource& database, const std::set<std::string>& epochs) {
  const LogScan no_log;
  PageImage image(database, nullptr, no_log);
  PageScan scan(image);
  BatchCodec codec;
  bool holds = false;
  const auto visit = [&](const FoundRow& row) {
    const auto columns = row.payload ? ParseRecord(*row.payload) : std::nullopt;
    if (row.table == StoreTable::kBatch && columns)
      holds = epochs.contains(EpochOf(*columns, codec));
  };
  // Nearly always the first batch decides.
  while (!holds && scan.Step(visit)) {
  }
  return holds;
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
