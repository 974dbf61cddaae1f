#include "reader/project/fold.h"

#include "core/check.h"
#include "core/record.h"
#include "reader/project/state_fold.h"

namespace tidegate::reader {

void FoldDocument(const Event& event, const FoldOptions& options, Effects& effects) {
  CHECK(event.document != nullptr && event.document->stream != nullptr,
        "an event has a document that carries its stream");
  switch (event.document->stream->kind) {
    case StreamKind::kHeartbeat:
    case StreamKind::kReading:
    case StreamKind::kMachine:
      if (event.document->asset.empty()) return;
      if (options.scope != FoldScope::kStatesOnly) FoldAsset(event, effects);
      if (options.scope != FoldScope::kStatesOnly) FoldAggregates(event, options.windows, effects);
      if (options.scope != FoldScope::kWithoutStates) FoldState(event, options, effects);
      return;
    case StreamKind::kAlert:
      if (options.scope != FoldScope::kStatesOnly) FoldAlert(*event.document, "gateway", effects);
      return;
    case StreamKind::kGap:
      if (options.scope != FoldScope::kStatesOnly) FoldGap(event, effects);
      return;
    case StreamKind::kSales:
      return;  // Events without an asset.
  }
}

std::string LetterPartition(const LetterPlace& letter) {
  return letter.partition + "#" + letter.replay;
}

std::string AssetId(const Document& document) {
  return RecordKey(document.tenant.empty() ? "-" : document.tenant, document.asset);
}

std::string IdPart(std::string_view text) {
  return RecordKey("", text).substr(1);
}

void NameAsset(std::string_view tenant, std::string_view asset, Object& members) {
  if (!tenant.empty()) members["tenant_id"].is = std::string(tenant);
  members["asset_id"].is = std::string(asset);
}

}  // namespace tidegate::reader
