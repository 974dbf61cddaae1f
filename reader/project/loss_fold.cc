#include "reader/project/fold.h"

namespace tidegate::reader {

namespace {
void FoldLoss(const Event& event, Projection& loss) {
  const json::Value gap = event.document->value.root();
  Object& members = loss.members;
  const auto copy = [&](std::string_view from, std::string_view to) {
    const auto member = gap.Find(from);
    if (member && (member->is_number() || member->is_string())) members[to] = ToValue(*member);
  };
  members["kind"].is = "gap";
  if (!event.document->tenant.empty()) members["tenant_id"].is = event.document->tenant;
  copy("gateway_id", "gateway_id");
  members["topic"].is = event.document->provenance.topic;
  members["partition"].is = int64_t{event.document->provenance.partition};
  copy("first_seq", "from");
  copy("last_seq", "to");
  copy("count", "count");
  copy("reason", "reason");
  members["timestamp"].is = BoundedTime(*event.document);
}
}  // namespace

void FoldGap(const Event& event, Effects& effects) {
  effects.changes.push_back({{{event.document->ns.database, "losses"},
                              AssetId(*event.document) + "/" + IdPart(event.document->id)},
                             [&event](Projection& loss) { FoldLoss(event, loss); }});
}

}  // namespace tidegate::reader
