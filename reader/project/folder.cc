#include "reader/project/folder.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <unordered_set>
#include <utility>

namespace tidegate::reader {

namespace {
// How often in a row other folders may save first before the batch is put off.
constexpr int kMaxRounds = 20;

bool HasFolded(const Projection& projection, const Event& event) {
  const auto folded = projection.folded.find(event.partition);
  return folded != projection.folded.end() && folded->second >= event.offset;
}
}  // namespace

size_t Folder::KeyHash::operator()(const DocumentKey& key) const {
  return std::hash<std::string>()(key.id) ^ (std::hash<std::string>()(key.ns.collection) * 31);
}

Status Folder::Fold(std::span<const Event> events) {
  ++batch_;
  std::vector<Pending> pending;
  Effects effects;
  for (const Event& event : events) {
    FoldDocument(event, options_.folds, effects);
    for (Change& change : effects.changes) pending.push_back({&event, std::move(change)});
    effects.changes.clear();
  }
  const Status status = FoldPending(std::move(pending));
  Trim();
  return status;
}

// What a projection asks for is saved before the projection itself: if the process ends in between,
// the same documents ask for the same again.
Status Folder::FoldPending(std::vector<Pending> pending) {
  for (int round = 0; round < kMaxRounds; ++round) {
    if (Status status = LoadMissing(pending); !status.ok()) return status;
    std::vector<Pending> derived;
    std::vector<Document> alerts;
    std::vector<Projection> changed = Apply(pending, derived, alerts);
    if (changed.empty()) return {};
    if (Status status = InsertAlerts(alerts); !status.ok()) return status;
    if (!derived.empty()) {
      if (Status status = FoldPending(std::move(derived)); !status.ok()) return status;
    }
    const Result<bool> saved = Save(changed);
    if (!saved.ok()) return saved.error();
    if (*saved) return {};
    // Projections that were saved have folded their events, so that the next round skips them.
  }
  return Error{ErrorCode::kUnavailable, "save projections: others change the same ones"};
}

Status Folder::LoadMissing(std::span<const Pending> pending) {
  std::unordered_set<DocumentKey, KeyHash> seen;
  std::vector<DocumentKey> missing;
  for (const Pending& item : pending) {
    const auto cached = cache_.find(item.change.key);
    if (cached != cache_.end()) {
      cached->second.used = batch_;
    } else if (seen.insert(item.change.key).second) {
      missing.push_back(item.change.key);
    }
  }
  if (missing.empty()) return {};
  auto loaded = parts_.projections.Load(missing);
  if (!loaded.ok()) return loaded.error();
  CHECK(loaded->size() == missing.size(), "each key has one projection");
  for (Projection& projection : *loaded) {
    DocumentKey key = projection.key;
    cache_[std::move(key)] = {std::move(projection), batch_};
  }
  return {};
}

std::vector<Projection> Folder::Apply(std::span<const Pending> pending,
                                      std::vector<Pending>& derived,
                                      std::vector<Document>& alerts) {
  std::vector<Projection> changed;
  std::unordered_map<const Projection*, size_t> place;
  Effects effects;
  for (const Pending& item : pending) {
    const Projection& stored = cache_.at(item.change.key).projection;
    if (HasFolded(stored, *item.event)) continue;
    const auto [found, is_new] = place.emplace(&stored, changed.size());
    if (is_new) changed.push_back(stored);
    Projection& projection = changed[found->second];
    item.change.apply(projection, effects);
    projection.folded[item.event->partition] = item.event->offset;
    for (Change& change : effects.changes) derived.push_back({item.event, std::move(change)});
    std::ranges::move(effects.alerts, std::back_inserter(alerts));
    effects = {};
  }
  return changed;
}

Status Folder::InsertAlerts(std::span<const Document> alerts) {
  if (alerts.empty()) return {};
  const auto results = parts_.documents.Write(alerts);
  if (!results.ok()) return results.error();
  CHECK(results->size() == alerts.size(), "each alert has one result");
  for (const WriteResult& result : *results) {
    if (result.outcome == WriteOutcome::kRetry || result.outcome == WriteOutcome::kUnavailable)
      return Error{ErrorCode::kUnavailable, result.reason};
    if (result.outcome == WriteOutcome::kRejected) ++alerts_refused_;
  }
  return {};
}

Result<bool> Folder::Save(std::span<Projection> changed) {
  const auto outcomes = parts_.projections.Save(changed);
  CHECK(!outcomes.ok() || outcomes->size() == changed.size(), "each projection has one outcome");
  bool all = true;
  for (size_t i = 0; i < changed.size(); ++i) {
    const auto cached = cache_.find(changed[i].key);
    CHECK(cached != cache_.end(), "a projection stays in memory until it is saved");
    if (outcomes.ok() && (*outcomes)[i] == SaveOutcome::kSaved) {
      cached->second.projection = std::move(changed[i]);
      ++cached->second.projection.revision;
      continue;
    }
    cache_.erase(cached);
    if (outcomes.ok()) ++conflicts_;
    all = false;
  }
  if (!outcomes.ok()) return outcomes.error();
  return all;
}

void Folder::Trim() {
  if (cache_.size() <= options_.cached) return;
  std::erase_if(cache_, [&](const auto& entry) { return entry.second.used != batch_; });
}

}  // namespace tidegate::reader
