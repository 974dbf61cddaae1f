// What a landed document changes in the projections, as pure functions: each says which projections
// it changes and how, and touches no database. A projection is a function of the landed documents
// alone: the documents of one partition are folded in the order of their offsets, and the order
// between partitions does not matter, except for what state_fold.h says.
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
  // The message's place, by which a projection knows what it has folded: its PartitionName(), or
  // for a replayed dead letter its LetterPartition().
  std::string partition;
  int64_t offset = 0;
  // The partition's first offset in the batch: what precedes it is folded, with all its effects.
  // Set by the folder.
  int64_t batch_first = 0;
};

struct Effects;

struct Change {
  DocumentKey key;
  // Folds the document into the projection. It is called once for each document and revision of the
  // projection, and not at all if the projection has folded the document already.
  std::function<void(Projection& projection)> apply;
  // Appends what follows from the document, by what `apply` has recorded in the projection; empty:
  // nothing does. It is called when the projection is saved, and again if the document comes again,
  // because the process may have ended in between.
  std::function<void(const Projection& projection, Effects& then)> follow = {};
};

struct Effects {
  std::vector<Change> changes;
  std::vector<Document> alerts;  // To be inserted; never overwrite a document of the same `_id`.
};

// States depend on the order of documents (state_fold.h); everything else does not.
enum class FoldScope { kAll, kWithoutStates, kStatesOnly };

struct FoldOptions {
  std::vector<std::chrono::milliseconds> windows{std::chrono::hours(1)};
  std::vector<Rule> rules;
  FoldScope scope = FoldScope::kAll;
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

// Returns the name under which projections know the letters that one replay has landed from one
// partition of the dead-letter topic. Their offsets there give the order.
std::string LetterPartition(const LetterPlace& letter);

// Returns "<tenant>/<asset>" with '/' and '%' of the asset percent-encoded. The tenant is "-" if
// the document has none.
std::string AssetId(const Document& document);
// Returns one part of an id in the same encoding.
std::string IdPart(std::string_view text);
// Sets tenant_id, unless the tenant is empty, and asset_id.
void NameAsset(std::string_view tenant, std::string_view asset, Object& members);

}  // namespace tidegate::reader
