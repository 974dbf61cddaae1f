#include "reader/project/rebuild/rebuild.h"

#include <fmt/format.h>

#include <array>
#include <set>
#include <utility>

#include "reader/database/list_indexes.h"
#include "reader/project/rebuild/landed_document.h"
#include "reader/project/rebuild_mark.h"

namespace tidegate::reader {

namespace {
constexpr std::chrono::milliseconds kProgressInterval{10'000};

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
  for (const std::string& database : options_.databases) {
    if (Status status = Clear(database); !status.ok()) return status;
    std::set<std::string> collections;
    for (const Stream& stream : parts_.decoder.streams().streams())
      collections.insert(stream.collection);
    for (const std::string& collection : collections)
      if (Status status = Read({database, collection}); !status.ok()) return status;
  }
  return Mark(false);
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
  return EnsureProjectionIndexes(parts_.documents, database, parts_.decoder.tenancy());
}

Status Rebuild::Read(const Namespace& ns) {
  Status status =
      parts_.documents_read.EachLanded(ns, [&](std::string_view text) { return Add(ns, text); });
  return status.ok() ? Fold() : status;
}

Status Rebuild::Add(const Namespace& ns, std::string_view text) {
  ++report_.read;
  LogProgress();
  auto document = ReadLandedDocument(ns, text, parts_.decoder.streams());
  // An alert by a rule is stored among those of gateways and names the message that raised it,
  // which raises it again.
  if (!document || !document->stream || document->stream->collection != ns.collection)
    return ++report_.skipped, Status();
  const Provenance& from = document->provenance;
  std::string partition = PartitionName({from.topic, from.partition});
  const auto landed = LandedUpTo(partition);
  if (!landed.ok()) return landed.error();
  if (from.offset >= *landed) return ++report_.waiting, Status();
  bytes_ += text.size();
  items_.push_back({std::move(*document), std::move(partition)});
  return items_.size() >= options_.batch_records || bytes_ >= options_.batch_bytes ? Fold()
                                                                                   : Status();
}

Result<int64_t> Rebuild::LandedUpTo(const std::string& partition) {
  if (const auto known = landed_.find(partition); known != landed_.end()) return known->second;
  const auto read = parts_.projections.ReadPositions(parts_.decoder.database(), {&partition, 1});
  if (!read.ok()) return read.error();
  const auto found = read->find(partition);
  return landed_[partition] = found == read->end() ? 0 : found->second;
}

Status Rebuild::Fold() {
  std::vector<Event> events;
  for (const Item& item : items_) {
    const int64_t offset = item.document.provenance.offset;
    events.push_back({&item.document, item.partition, offset});
  }
  if (Status status = folder_.Fold(events); !status.ok()) return status;
  report_.folded += items_.size();
  CHECK(report_.read == report_.folded + report_.waiting + report_.skipped,
        "each document that was read is counted once");
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
