// How a projector folds: database by database, so that one that fails or is slow lags alone.
#include <algorithm>
#include <unordered_map>

#include "reader/database/list_indexes.h"
#include "reader/project/projector.h"
#include "reader/project/rebuild_mark.h"

namespace tidegate::reader {

namespace {
constexpr size_t kMaxIndexedDatabases = 10'000;
}  // namespace

// What is folded stays so when the time is up: the next attempt folds the rest.
Status Projector::FoldFront(size_t count) {
  const BootTime began = parts_.clock.SinceBoot();
  std::vector<FoldGroup> groups = ByDatabase(buffer_.items().first(count));
  bool in_time = true;
  for (FoldGroup& group : groups) {
    const BootTime now = parts_.clock.SinceBoot();
    in_time = now - began <= options_.fold_time;
    if (!in_time) break;
    Status status = FoldDatabase(group);
    group.took = parts_.clock.SinceBoot() - now;
    if (!status.ok()) status = LetLag(group, status.error());
    if (!status.ok()) return status;
  }
  JudgeSlow(groups);
  if (in_time) {
    Finish(count);
  } else if (std::ranges::none_of(groups, &FoldGroup::folded)) {
    return Error{ErrorCode::kUnavailable, "databases that do not answer take the time"};
  }
  return {};
}

std::vector<FoldGroup> Projector::ByDatabase(std::span<Buffer::Item> items) {
  std::vector<FoldGroup> groups;
  std::unordered_map<std::string_view, size_t> places;
  for (Buffer::Item& item : items) {
    if (!item.document || item.folded) continue;
    const std::string& database = item.document->ns.database;
    if (!laggards_.Takes(database, item.partition, item.offset)) {
      LeaveOut(item);
      continue;
    }
    const auto [place, is_new] = places.emplace(database, groups.size());
    if (is_new) groups.push_back({.database = database});
    groups[place->second].items.push_back(&item);
  }
  return groups;
}

Status Projector::FoldDatabase(FoldGroup& group) {
  const uint64_t changes = folder_.changes();
  const auto found = FindLandedEvents(parts_.projections, positions_, group.items);
  if (!found.ok()) return found.error();
  if (!found->events.empty()) {
    if (Status status = EnsureIndexes(group.database); !status.ok()) return status;
    if (Status status = folder_.Fold(found->events); !status.ok()) return status;
  }
  CountSkipped(*found);
  for (Buffer::Item* item : group.items) item->folded = true;
  group.folded = true;
  group.work = group.items.size() + (folder_.changes() - changes);
  return {};
}

Status Projector::LetLag(const FoldGroup& group, const Error& error) {
  if (group.database == options_.database) return error;
  // If the main database does not answer either, everything waits.
  const auto main = ReadRebuildMark(parts_.projections, options_.database);
  if (!main.ok()) return main.error();
  BeginLag(group, error.message);
  for (const Buffer::Item* item : group.items) LeaveOut(*item);
  parts_.metrics.CountOutage();
  return {};
}

void Projector::BeginLag(const FoldGroup& group, const std::string& reason) {
  const BootTime now = parts_.clock.SinceBoot();
  laggards_.Begin(group.database, reason, now, group.took);
  if (trouble_log_.Count(now))
    parts_.log.Warning("{}: the projections of {} lag: {}", name(), group.database, reason);
  state().lagging = laggards_.Reasons();
  Report(true);
}

// Large groups are no slow ones, so the time for each change counts; and if all are slow, as on one
// server, nobody keeps another one waiting.
void Projector::JudgeSlow(std::span<const FoldGroup> groups) {
  const auto cost = [](const FoldGroup& group) {
    return static_cast<double>(group.took.count()) / static_cast<double>(group.work);
  };
  for (const FoldGroup& group : groups) {
    if (!group.folded || group.took < options_.slow || group.database == options_.database)
      continue;
    const bool waited = std::ranges::any_of(groups, [&](const FoldGroup& other) {
      return other.folded && cost(other) * 2 < cost(group);
    });
    if (!waited) continue;
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(group.took);
    BeginLag(group, "it took " + std::to_string(took.count()) + " ms, while others waited");
  }
}

void Projector::LeaveOut(const Buffer::Item& item) {
  const std::string& database = item.document->ns.database;
  const int64_t given_up = laggards_.LeaveOut(database, item.partition, item.offset);
  if (given_up == 0) return;
  parts_.metrics.CountMissed(given_up);
  parts_.log.Error(
      "{}: the projections of {} lag too far: up to {} messages of {} [{}] are given up; "
      "`tidegate-reader rebuild` takes in those that had landed",
      name(), database, given_up, item.partition.topic, item.partition.number);
}

void Projector::TryLaggard() {
  const BootTime began = parts_.clock.SinceBoot();
  const auto database = laggards_.Due(began);
  if (!database) return;
  const DocumentKey probe{{*database, "assets"}, "-"};
  Status status(parts_.projections.Load({&probe, 1}));
  if (status.ok()) status = RewindFor(*database);
  const BootTime now = parts_.clock.SinceBoot();
  if (status.ok()) {
    laggards_.End(*database);
    parts_.log.Info("{}: the projections of {} catch up", name(), *database);
  } else {
    laggards_.Begin(*database, status.error().message, now, now - began);
  }
  state().lagging = laggards_.Reasons();
  Report(true);
}

Status Projector::RewindFor(const std::string& database) {
  for (const auto& [partition, from] : laggards_.From(database)) {
    // What is dropped from the buffer is read again, too.
    int64_t start = from;
    for (const Buffer::Item& item : buffer_.items())
      if (item.partition == partition) start = std::min(start, item.offset);
    if (Status status = parts_.source.Seek(partition, start); !status.ok()) return status;
    laggards_.OnRewound(database, partition, done_[partition], parts_.clock.SinceBoot());
    DropBuffered(partition);
    positions_.Forget(partition);
  }
  Balance();
  return {};
}

Status Projector::EnsureIndexes(const std::string& database) {
  if (indexed_.contains(database)) return {};
  Status status = EnsureProjectionIndexes(parts_.documents, database, parts_.decoder.tenancy(),
                                          parts_.decoder.expires());
  if (!status.ok()) return status;
  if (indexed_.size() >= kMaxIndexedDatabases) indexed_.clear();
  indexed_.insert(database);
  return {};
}

void Projector::CountSkipped(const LandedEvents& found) {
  parts_.metrics.CountSkipped(found.absent, found.repeated);
  if (found.absent == 0) return;
  if (const auto count = skip_log_.Count(parts_.clock.SinceBoot(), found.absent))
    parts_.log.Warning("{}: {} messages did not land or are gone again; no projection has them",
                       name(), *count);
}

}  // namespace tidegate::reader
