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
      FoldAsset(event, effects);
      FoldAggregates(event, options.windows, effects);
      if (options.states) FoldState(event, options, effects);
      return;
    case StreamKind::kAlert:
      return FoldAlert(*event.document, "gateway", effects);
    case StreamKind::kGap:
      return FoldGap(event, effects);
    case StreamKind::kSales:
      return;  // Events without an asset.
  }
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
