#include "reader/project/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "reader/project/time_order.h"

namespace tidegate::reader {

namespace {
// How often in a row other folders may save first before the batch is put off.
constexpr int kMaxRounds = 20;
constexpr int kAlertAttempts = 4;
constexpr size_t kMaxRefused = 10'000;

bool HasFolded(const Projection& projection, const Event& event) {
  const auto folded = projection.folded.find(event.partition);
  return folded != projection.folded.end() && folded->second >= event.offset;
}

// What has expired counts as removed, whether or not the database has done so.
void BeginAnewIfExpired(const Event& event, Projection& projection) {
  const auto received = event.document->provenance.received_at;
  if (!projection.expires_at || received < *projection.expires_at) return;
  projection.members = {};
  projection.state = {};
}

// A projection is kept as long as the last document that it was made from.
void Prolong(const Event& event, Projection& projection) {
  const auto& expires_at = event.document->provenance.expires_at;
  if (!expires_at || !projection.expires_at || *expires_at > *projection.expires_at)
    projection.expires_at = expires_at;
}
}  // namespace

size_t Folder::KeyHash::operator()(const DocumentKey& key) const {
  return std::hash<std::string>()(key.id) ^ (std::hash<std::string>()(key.ns.collection) * 31);
}

void Folder::Forget() {
  cache_.clear();
  refused_.clear();
}

// The changes of an event are in one part, and parts keep the order, so that each part is what a
// batch of its own would be.
Status Folder::Fold(std::span<const Event> events) {
  const std::vector<Event> ordered = InOrderOfTime(events);
  std::vector<Pending> part;
  Effects effects;
  for (const Event& event : ordered) {
    FoldDocument(event, options_.folds, effects);
    for (Change& change : effects.changes) part.push_back({&event, std::move(change)});
    effects.changes.clear();
    if (part.size() < options_.changes) continue;
    if (Status status = FoldPart(part); !status.ok()) return status;
  }
  return FoldPart(part);
}

Status Folder::FoldPart(std::vector<Pending>& part) {
  ++part_;
  changing_.clear();
  const size_t changes = part.size();
  const Status status = FoldPending(std::exchange(part, {}));
  if (status.ok()) {
    applied_ += changing_.size();
    changes_ += changes;
  }
  Trim();
  return status;
}

Status Folder::FoldPending(std::vector<Pending> pending) {
  for (int round = 0; round < kMaxRounds; ++round) {
    std::erase_if(pending, [&](const Pending& item) { return refused_.contains(item.change.key); });
    if (Status status = LoadMissing(pending); !status.ok()) return status;
    std::vector<Projection> changed = Apply(pending);
    const Result<bool> saved = changed.empty() ? Result<bool>(true) : Save(changed);
    if (!saved.ok()) return saved.error();
    // Projections that were saved have folded their events, so that the next round skips them.
    if (*saved) return Follow(pending);
  }
  return Error{ErrorCode::kUnavailable, "save projections: others change the same ones"};
}

Status Folder::LoadMissing(std::span<const Pending> pending) {
  std::unordered_set<DocumentKey, KeyHash> seen;
  std::vector<DocumentKey> missing;
  for (const Pending& item : pending) {
    const auto cached = cache_.find(item.change.key);
    if (cached != cache_.end()) {
      cached->second.used = part_;
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
    cache_[std::move(key)] = {std::move(projection), part_};
  }
  return {};
}

std::vector<Projection> Folder::Apply(std::span<const Pending> pending) {
  std::vector<Projection> changed;
  std::unordered_map<const Projection*, size_t> place;
  for (const Pending& item : pending) {
    const Projection& stored = cache_.at(item.change.key).projection;
    if (HasFolded(stored, *item.event)) continue;
    const auto [found, is_new] = place.emplace(&stored, changed.size());
    if (is_new) changed.push_back(stored);
    Projection& projection = changed[found->second];
    BeginAnewIfExpired(*item.event, projection);
    item.change.apply(projection);
    Prolong(*item.event, projection);
    // Documents of one partition that are late come between those of others, and never before an
    // earlier offset of their own.
    projection.folded[item.event->partition] = item.event->offset;
    changing_.insert(item.event);
  }
  return changed;
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
    if (outcomes.ok() && (*outcomes)[i] == SaveOutcome::kRefused) {
      SetAside(changed[i].key);
      continue;
    }
    if (outcomes.ok()) ++conflicts_;
    all = false;
  }
  if (!outcomes.ok()) return outcomes.error();
  return all;
}

void Folder::SetAside(const DocumentKey& key) {
  if (refused_.size() >= kMaxRefused) refused_.clear();
  refused_.insert(key);
  ++saves_refused_;
  last_refused_ = fmt::format("{}.{} {}", key.ns.database, key.ns.collection, key.id);
}

Status Folder::Follow(std::span<const Pending> pending) {
  std::vector<Pending> derived;
  Effects effects;
  for (const Pending& item : pending) {
    if (!item.change.follow || refused_.contains(item.change.key)) continue;
    item.change.follow(cache_.at(item.change.key).projection, effects);
    for (Change& change : effects.changes) derived.push_back({item.event, std::move(change)});
    effects.changes.clear();
  }
  if (Status status = InsertAlerts(std::move(effects.alerts)); !status.ok()) return status;
  return derived.empty() ? Status() : FoldPending(std::move(derived));
}

Status Folder::InsertAlerts(std::vector<Document> alerts) {
  for (int attempt = 0; attempt < kAlertAttempts && !alerts.empty(); ++attempt) {
    auto left = TryAlerts(std::move(alerts));
    if (!left.ok()) return left.error();
    alerts = std::move(left).value();
  }
  alerts_refused_ += alerts.size();
  return {};
}

Result<std::vector<Document>> Folder::TryAlerts(std::vector<Document> alerts) {
  const auto results = parts_.documents.Write(alerts);
  if (!results.ok()) return results.error();
  CHECK(results->size() == alerts.size(), "each alert has one result");
  const auto failed =
      std::ranges::find(*results, WriteOutcome::kUnavailable, &WriteResult::outcome);
  if (failed != results->end()) return Error{ErrorCode::kUnavailable, failed->reason};
  std::vector<Document> left;
  for (size_t i = 0; i < alerts.size(); ++i) {
    if ((*results)[i].outcome == WriteOutcome::kRejected) ++alerts_refused_;
    if ((*results)[i].outcome == WriteOutcome::kRetry) left.push_back(std::move(alerts[i]));
  }
  return left;
}

void Folder::Trim() {
  if (cache_.size() <= options_.cached) return;
  std::erase_if(cache_, [&](const auto& entry) { return entry.second.used != part_; });
}

}  // namespace tidegate::reader
