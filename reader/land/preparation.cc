#include "reader/land/preparation.h"

#include "core/check.h"

namespace tidegate::reader {

namespace {
constexpr size_t kMaxIndexedNamespaces = 10'000;
}  // namespace

Preparation::Preparation(Parts parts)
    : parts_(parts),
      migrator_({parts.store, parts.projections, parts.decoder.layout(), parts.clock, parts.log}) {}

Status Preparation::Migrate() {
  if (migrated_) return {};
  Status status = migrator_.Run();
  migrated_ = status.ok();
  if (!status.ok() && status.error().code == ErrorCode::kInvalid) unfit_ = status.error();
  return status;
}

Status Preparation::EnsureIndexes(std::span<const Document> documents, BootTime deadline) {
  for (const Document& document : documents) {
    if (indexed_.contains(document.ns)) continue;
    if (IsPast(deadline)) return {};
    CHECK(document.stream, "a document that is written carries its stream");
    // A bound on what strangers' tenants may cost; forgetting only repeats a harmless command.
    if (indexed_.size() >= kMaxIndexedNamespaces) indexed_.clear();
    if (Status status = EnsureIndexesOf(document.ns, *document.stream); !status.ok()) return status;
  }
  return {};
}

Status Preparation::EnsureKnownIndexes(BootTime deadline) {
  for (const auto& [ns, stream] : parts_.decoder.KnownNamespaces()) {
    if (IsPast(deadline)) return {};
    if (indexed_.contains(ns)) continue;
    if (Status status = EnsureIndexesOf(ns, *stream); !status.ok()) return status;
  }
  return {};
}

Status Preparation::EnsureIndexesOf(const Namespace& ns, const Stream& stream) {
  CHECK(migrated_, "no index is made before the migrations have run");
  Status status = parts_.store.EnsureIndexes(ns, parts_.decoder.IndexesOf(stream));
  if (status.ok()) indexed_.insert(ns);
  return status;
}

}  // namespace tidegate::reader
