#include "reader/land/upkeep.h"

#include <utility>

#include "core/check.h"
#include "reader/database/list_indexes.h"

namespace tidegate::reader {

namespace {
constexpr size_t kMaxCollections = 20'000;

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
  report_.Post(failed_.size(), false);
  return {};
}

Status Upkeep::Migrate() {
  const BootTime now = parts_.clock.SinceBoot();
  if (migrated_ || now < next_migration_) return {};
  next_migration_ = now + options_.retry;
  Status status = migrator_.Run();
  migrated_ = status.ok();
  if (migrated_) return {};
  if (status.error().code == ErrorCode::kInvalid) return status;
  if (trouble_log_.Count(now)) parts_.log.Warning("migrations: {}", status.error().message);
  return {};
}

void Upkeep::MakeRequested() {
  if (requested_.empty() || requested_.front().first > parts_.clock.SinceBoot()) return;
  const auto [ns, stream] = requested_.front().second;
  requested_.pop_front();
  MakeIndexes(ns, *stream);
}

void Upkeep::MakeIndexes(const Namespace& ns, const Stream& stream) {
  const Status status = parts_.store.EnsureIndexes(ns, parts_.decoder.IndexesOf(stream));
  const BootTime now = parts_.clock.SinceBoot();
  if (status.ok()) {
    // Forgetting only leaves expired documents of a file for later.
    if (indexed_.size() >= kMaxCollections) indexed_.clear();
    indexed_.insert(ns);
    return;
  }
  if (failed_.empty()) next_retry_ = now + options_.retry;
  if (failed_.size() < kMaxCollections) failed_.emplace_back(ns, &stream);
  if (trouble_log_.Count(now)) {
    parts_.log.Warning("indexes of {}.{}: {}; they are tried again", ns.database, ns.collection,
                       status.error().message);
  }
}

// One collection in a step, so that those that are requested do not wait for the ones that fail.
void Upkeep::TryAgain() {
  const BootTime now = parts_.clock.SinceBoot();
  if (failed_.empty() || now < next_retry_) return;
  next_retry_ = now + options_.retry / static_cast<int64_t>(failed_.size());
  const auto [ns, stream] = failed_.front();
  failed_.pop_front();
  MakeIndexes(ns, *stream);
}

void Upkeep::RemoveExpired() {
  if (!parts_.decoder.expires()) return;
  const Status status = expiry_.Run(WithProjections(indexed_));
  if (!status.ok() && trouble_log_.Count(parts_.clock.SinceBoot()))
    parts_.log.Warning("upkeep: {}", status.error().message);
}

}  // namespace tidegate::reader
