#include "reader/land/upkeep.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "reader/database/list_indexes.h"

namespace tidegate::reader {

namespace {
constexpr size_t kMaxCollections = 20'000;
// A database that failed rests for so many times as long as that took.
constexpr int kRestFactor = 10;

// Adds the collections of the projections in the same databases.
std::set<Namespace> WithProjections(std::set<Namespace> collections) {
  std::set<std::string> databases;
  for (const Namespace& ns : collections) databases.insert(ns.database);
  for (const auto& [collection, indexes] : ProjectionIndexes(Tenancy::kShared, true)) {
    for (const std::string& database : databases) collections.insert({database, collection});
  }
  return collections;
}
}  // namespace

Upkeep::Upkeep(Options options, Parts parts, size_t place)
    : options_(options),
      parts_(parts),
      report_(parts.board, parts.clock, place, "upkeep", MemberRole::kUpkeep),
      migrator_({parts.store, parts.projections, parts.decoder.layout(), parts.clock, parts.log}),
      expiry_(options.expiry, {parts.store, parts.clock, parts.metrics}) {
  CHECK(options_.retry > std::chrono::milliseconds::zero(), "a retry waits");
  report_.state().kafka_up = true;     // It has no broker,
  report_.state().database_up = true;  // and the workers report the database.
  for (const auto& [ns, stream] : parts_.decoder.KnownNamespaces())
    parts_.requests.Add(ns, *stream);
}

Status Upkeep::Step(std::chrono::milliseconds patience) {
  if (Status status = Migrate(); !status.ok()) return report_.Fail(status.error(), 0);
  if (const auto request = parts_.requests.Take(patience))
    requested_.emplace_back(parts_.clock.SinceBoot() + options_.settle, *request);
  MakeRequested();
  TryAgain();
  RemoveExpired();
  report_.Post(failed_, false);
  return {};
}

Status Upkeep::Migrate() {
  const BootTime began = parts_.clock.SinceBoot();
  if (migrated_ || began < next_migration_) return {};
  Status status = migrator_.Run();
  migrated_ = status.ok();
  if (migrated_) return {};
  if (status.error().code == ErrorCode::kInvalid) return status;
  const BootTime now = parts_.clock.SinceBoot();
  next_migration_ = now + RestAfter(now - began);
  if (trouble_log_.Count(now)) parts_.log.Warning("migrations: {}", status.error().message);
  return {};
}

BootTime Upkeep::RestAfter(BootTime took) const {
  return std::max<BootTime>(options_.retry, took * kRestFactor);
}

void Upkeep::MakeRequested() {
  if (requested_.empty() || requested_.front().first > parts_.clock.SinceBoot()) return;
  const IndexRequests::Request request = requested_.front().second;
  requested_.pop_front();
  if (failing_.contains(request.first.database) || !MakeIndexes(request.first, *request.second))
    Postpone(request);
}

bool Upkeep::MakeIndexes(const Namespace& ns, const Stream& stream) {
  const BootTime began = parts_.clock.SinceBoot();
  const Status status = parts_.store.EnsureIndexes(ns, parts_.decoder.IndexesOf(stream));
  const BootTime now = parts_.clock.SinceBoot();
  if (status.ok()) {
    // Forgetting only leaves expired documents of a file for later.
    if (indexed_.size() >= kMaxCollections) indexed_.clear();
    indexed_.insert(ns);
    return true;
  }
  failing_[ns.database].retry_at = now + RestAfter(now - began);
  if (trouble_log_.Count(now)) {
    parts_.log.Warning("indexes of {}.{}: {}; they are tried again", ns.database, ns.collection,
                       status.error().message);
  }
  return false;
}

void Upkeep::Postpone(const IndexRequests::Request& request) {
  if (failed_ >= kMaxCollections) return;
  failing_[request.first.database].requests.push_back(request);
  ++failed_;
}

// One collection in a step, so that those that are requested do not wait for the ones that fail.
void Upkeep::TryAgain() {
  const BootTime now = parts_.clock.SinceBoot();
  const auto due = std::ranges::find_if(
      failing_, [&](const auto& entry) { return now >= entry.second.retry_at; });
  if (due == failing_.end()) return;
  std::deque<IndexRequests::Request>& requests = due->second.requests;
  if (!requests.empty()) {
    const IndexRequests::Request request = requests.front();
    requests.pop_front();
    --failed_;
    if (!MakeIndexes(request.first, *request.second)) Postpone(request);
  }
  if (requests.empty()) failing_.erase(due);
}

void Upkeep::RemoveExpired() {
  if (!parts_.decoder.expires() || !expiry_.Due()) return;
  const Status status = expiry_.Run(WithProjections(indexed_));
  if (!status.ok() && trouble_log_.Count(parts_.clock.SinceBoot()))
    parts_.log.Warning("upkeep: {}", status.error().message);
}

}  // namespace tidegate::reader
