// What a landed document changes in the projections, as pure functions: each says which projections
// it changes and how, and touches no database. A projection is a function of the landed documents
// alone: the documents of one partition are folded in the order of their offsets, and the order
// between partitions does not matter, except for the cases that state_fold.h names.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/rules/rules.h"
#include "reader/database/document.h"
#include "reader/database/projection_store.h"
#include "reader/decode/stream.h"

namespace tidegate::reader {

// A landed document. What it points to must outlive the effects.
// REQUIRES: the document is set and carries its stream.
struct Event {
  const Document* document;
  // The message's place, by which a projection knows what it has folded: "<topic>/<number>".
  std::string partition;
  int64_t offset = 0;
};

struct Effects;

struct Change {
  DocumentKey key;
  // Folds the document into the projection. It is called once for each document and revision of the
  // projection, and not at all if the projection has folded the document already. What it adds to
  // `then` is saved before the projection itself.
  std::function<void(Projection& projection, Effects& then)> apply;
};

struct Effects {
  std::vector<Change> changes;
  std::vector<Document> alerts;  // To be inserted; never overwrite a document of the same `_id`.
};

struct FoldOptions {
  std::vector<std::chrono::milliseconds> windows{std::chrono::hours(1)};
  std::vector<Rule> rules;
  // Also folds failure episodes and alerts by rules, which depend on the order of documents.
  bool states = true;
  // The collection that alerts by rules are inserted into.
  std::string alerts_collection = "alerts";
};

// Appends everything that the document changes.
void FoldDocument(const Event& event, const FoldOptions& options, Effects& effects);

// The projection `assets`, the registry (asset_fold.cc).
void FoldAsset(const Event& event, Effects& effects);
// The projection `aggregated_data` (aggregate_fold.cc).
void FoldAggregates(const Event& event, std::span<const std::chrono::milliseconds> windows,
                    Effects& effects);
// The projection `alert_states` (alert_fold.cc). `source` is "gateway" or "server". A document that
// names no rule changes nothing.
void FoldAlert(const Document& alert, std::string_view source, Effects& effects);
// The projection `losses` (loss_fold.cc): the records that a gateway dropped and declared.
void FoldGap(const Event& event, Effects& effects);

// Returns "<tenant>/<asset>" with '/' and '%' of the asset percent-encoded. The tenant is "-" if
// the document has none.
std::string AssetId(const Document& document);
// Returns one part of an id in the same encoding.
std::string IdPart(std::string_view text);
// Sets tenant_id, unless the tenant is empty, and asset_id.
void NameAsset(std::string_view tenant, std::string_view asset, Object& members);

}  // namespace tidegate::reader
