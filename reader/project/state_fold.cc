#include "reader/project/state_fold.h"

#include <algorithm>

namespace tidegate::reader {

namespace {
bool AnyRuleFor(const Document& document, const FoldOptions& options) {
  return !ComesFromGateway(document) && std::ranges::any_of(options.rules, [&](const Rule& rule) {
    return rule.AppliesTo(document.tenant, document.asset);
  });
}
}  // namespace

bool ComesFromGateway(const Document& document) {
  return !document.provenance.gateway.empty() || !document.provenance.sequence_id.empty();
}

void FoldState(const Event& event, const FoldOptions& options, Effects& effects) {
  const Document& document = *event.document;
  const bool machine = event.document->stream->kind == StreamKind::kMachine;
  const bool ruled = AnyRuleFor(document, options);
  if (!machine && !ruled) return;
  effects.changes.push_back(
      {{{document.ns.database, "tidegate_folds"}, AssetId(document) + "/" + event.partition},
       [&event, &options, machine, ruled](Projection& fold, Effects& then) {
         const Document& taken = *event.document;
         NameAsset(taken.tenant, taken.asset, fold.members);
         if (machine) FoldFailure(event, fold.members.Child("failure"), then);
         if (ruled) FoldRules(event, options, fold.members.Child("rules"), then);
       }});
}

}  // namespace tidegate::reader
