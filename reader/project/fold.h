// What becomes of a landed document in the projections, as pure functions: each says which
// projections it changes and how, and touches no database. A projection is a function of the landed
// documents alone: those of one partition are folded in the order of their offsets, and folds of
// different partitions come out the same in either order, but for what state_fold.h says.
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
struct Event {
  const Document* document;
  const Stream* stream;
  // The message's place, which tells what a projection has taken.
  std::string partition;  // "<topic>/<number>"
  int64_t offset = 0;
};

struct Effects;

struct Change {
  DocumentKey key;
  // Takes the document in. Called once for each document and revision of the projection, or not at
  // all if the projection has it already. What it asks for in `then` is done, and safe, before the
  // projection itself is saved.
  std::function<void(Projection& projection, Effects& then)> apply;
};

struct Effects {
  std::vector<Change> changes;
  std::vector<Document> alerts;  // To be inserted where there is none of that `_id`.
};

struct FoldOptions {
  std::vector<std::chrono::milliseconds> windows{std::chrono::hours(1)};
  std::vector<Rule> rules;
  // Failure episodes and alerts by rules too, which follow from the order of documents.
  bool states = true;
  std::string alerts_collection = "alerts";  // Where alerts of the rules are inserted.
};

// Everything that the document changes.
void FoldDocument(const Event& event, const FoldOptions& options, Effects& effects);

// Registry: assets (asset_fold.cc).
void FoldAsset(const Event& event, Effects& effects);
// aggregated_data (aggregate_fold.cc).
void FoldAggregates(const Event& event, std::span<const std::chrono::milliseconds> windows,
                    Effects& effects);
// alert_states (alert_fold.cc). `source`: gateway or server. A document that does not say which
// rule it is about changes nothing.
void FoldAlert(const Document& alert, std::string_view source, Effects& effects);
// losses (loss_fold.cc): what a gateway gave up.
void FoldGap(const Event& event, Effects& effects);

// "<tenant>/<asset>" with '/' and '%' of the asset percent-encoded; the tenant is "-" if there is
// none.
std::string AssetId(const Document& document);
// The same encoding for one part of an id.
std::string IdPart(std::string_view text);
// Sets tenant_id, if there is one, and asset_id.
void NameAsset(std::string_view tenant, std::string_view asset, Object& members);

}  // namespace tidegate::reader
