#include "reader/project/rebuild/rebuild.h"

#include <fmt/format.h>

#include <array>
#include <set>
#include <utility>

#include "reader/database/list_indexes.h"
#include "reader/project/rebuild/landed_document.h"
#include "reader/project/rebuild_mark.h"
#include "reader/project/state_fold.h"

namespace tidegate::reader {

namespace {
constexpr std::chrono::milliseconds kProgressInterval{10'000};

// Returns the place by which projections know a document.
std::string PlaceOf(const Provenance& from) {
  return from.dead_letter ? LetterPartition(*from.dead_letter)
                          : PartitionName({from.topic, from.partition}, from.epoch.value_or(0));
}

int64_t OffsetOf(const Provenance& from) {
  return from.dead_letter ? from.dead_letter->offset : from.offset;
}

constexpr std::array kMadeAnew{"assets", "aggregated_data", "failures", "alert_states",
                               "tidegate_folds"};
}  // namespace

std::string RebuildReport::Text() const {
  std::string text = fmt::format("{:<14} {}\n{:<14} {}\n", "read", read, "folded", folded);
  if (waiting > 0) text += fmt::format("{:<14} {}\n", "left to follow", waiting);
  if (skipped > 0) text += fmt::format("{:<14} {}\n", "passed over", skipped);
  return text;
}

Status Rebuild::Run() {
  report_ = {};
  landed_.clear();
  items_.clear();
  bytes_ = 0;
  next_progress_ = parts_.clock.SinceBoot() + kProgressInterval;
  if (Status status = Mark(true); !status.ok()) return status;
  for (const std::string& database : options_.databases)
    if (Status status = RebuildDatabase(database); !status.ok()) return status;
  return Mark(false);
}

Folder::Options Rebuild::Limited(Folder::Options options, FoldScope scope) {
  options.folds.scope = scope;
  return options;
}

Status Rebuild::RebuildDatabase(const std::string& database) {
  if (Status status = Clear(database); !status.ok()) return status;
  auto sorter = DocumentSorter::Open();
  if (!sorter.ok()) return sorter.error();
  std::set<std::string> collections;
  for (const Stream& stream : parts_.decoder.streams().streams())
    collections.insert(stream.collection);
  for (const std::string& collection : collections)
    if (Status status = Read({database, collection}, *sorter); !status.ok()) return status;
  return FoldSorted(*sorter);
}

Status Rebuild::Mark(bool under_way) {
  const std::string& database = parts_.decoder.database();
  const auto mark = ReadRebuildMark(parts_.projections, database);
  if (!mark.ok()) return mark.error();
  return WriteRebuildMark(parts_.projections, database, *mark, under_way, parts_.clock.Now());
}

Status Rebuild::Clear(const std::string& database) {
  for (const char* collection : kMadeAnew)
    if (Status status = parts_.projections.Clear({database, collection}); !status.ok())
      return status;
  return EnsureProjectionIndexes(parts_.documents, database, parts_.decoder.tenancy(),
                                 parts_.decoder.expires());
}

Status Rebuild::Read(const Namespace& ns, DocumentSorter& sorter) {
  Status status = parts_.documents_read.EachLanded(
      ns, [&](std::string_view text) { return Add(ns, text, sorter); });
  if (status.ok()) status = Fold(folder_);
  CHECK(!status.ok() || report_.read == report_.folded + report_.waiting + report_.skipped,
        "each document that was read is counted once");
  return status;
}

Status Rebuild::Add(const Namespace& ns, std::string_view text, DocumentSorter& sorter) {
  ++report_.read;
  LogProgress();
  auto document = ReadLandedDocument(ns, text, parts_.decoder.streams());
  // An alert by a rule is stored among those of gateways and names the message that raised it,
  // which raises it again.
  if (!document || !document->stream || document->stream->collection != ns.collection)
    return ++report_.skipped, Status();
  const Provenance& from = document->provenance;
  std::string partition = PlaceOf(from);
  const int64_t offset = OffsetOf(from);
  const bool is_letter = from.dead_letter.has_value();
  if (!is_letter) {
    const auto landed = HasLanded(from);
    if (!landed.ok()) return landed.error();
    if (!*landed) return ++report_.waiting, Status();
  }
  ++report_.folded;
  const bool has_state = HasState(*document, options_.folder.folds);
  if (is_letter || has_state) {
    Status status = sorter.Add({ns, text, AssetId(*document), partition, offset,
                                BoundedTime(*document), is_letter, has_state});
    if (!status.ok() || is_letter) return status;
  }
  return Push({std::move(*document), std::move(partition), offset}, text.size(), folder_);
}

Status Rebuild::FoldSorted(DocumentSorter& sorter) {
  const auto with = [this](Folder& folder) {
    return [this, &folder](const Namespace& ns, std::string_view text) {
      return AddSorted(ns, text, folder);
    };
  };
  Status status = sorter.EachLetter(with(folder_));
  if (status.ok()) status = Fold(folder_);
  if (status.ok()) status = sorter.EachByTime(with(state_folder_));
  return status.ok() ? Fold(state_folder_) : status;
}

Status Rebuild::AddSorted(const Namespace& ns, std::string_view text, Folder& folder) {
  LogProgress();
  auto document = ReadLandedDocument(ns, text, parts_.decoder.streams());
  CHECK(document && document->stream, "a sorted document was read before");
  std::string partition = PlaceOf(document->provenance);
  const int64_t offset = OffsetOf(document->provenance);
  return Push({std::move(*document), std::move(partition), offset}, text.size(), folder);
}

Status Rebuild::Push(Item item, size_t bytes, Folder& folder) {
  bytes_ += bytes;
  items_.push_back(std::move(item));
  return items_.size() >= options_.batch_records || bytes_ >= options_.batch_bytes ? Fold(folder)
                                                                                   : Status();
}

Result<bool> Rebuild::HasLanded(const Provenance& from) {
  const Partition partition{from.topic, from.partition};
  auto known = landed_.find(partition);
  if (known == landed_.end()) {
    const auto read =
        ReadLogPositions(parts_.projections, parts_.decoder.database(), {&partition, 1});
    if (!read.ok()) return read.error();
    known = landed_.insert(*read->begin()).first;
  }
  const LogPosition& position = known->second;
  const int64_t epoch = from.epoch.value_or(0);
  return epoch == position.epoch ? from.offset < position.next_offset : epoch < position.epoch;
}

Status Rebuild::Fold(Folder& folder) {
  std::vector<Event> events;
  for (const Item& item : items_) events.push_back({&item.document, item.partition, item.offset});
  if (Status status = folder.Fold(events); !status.ok()) return status;
  items_.clear();
  bytes_ = 0;
  return {};
}

void Rebuild::LogProgress() {
  const BootTime now = parts_.clock.SinceBoot();
  if (now < next_progress_) return;
  next_progress_ = now + kProgressInterval;
  parts_.log.Info("{} documents read, {} folded", report_.read, report_.folded);
}

}  // namespace tidegate::reader
