#include "reader/project/state_fold.h"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace tidegate::reader {

namespace {
// The members of a fold's state, and of a decision.
constexpr std::string_view kDecided = "decided";
constexpr std::string_view kFailure = "failure";
constexpr std::string_view kRules = "rules";

bool AnyRuleFor(const Document& document, const FoldOptions& options) {
  return !ComesFromGateway(document) && std::ranges::any_of(options.rules, [&](const Rule& rule) {
    return rule.AppliesTo(document.tenant, document.asset);
  });
}

bool IsMachine(const Document& document) {
  return document.stream->kind == StreamKind::kMachine;
}

const Object* ChildOf(const Object* object, std::string_view name) {
  const Value* value = object ? object->Find(name) : nullptr;
  return value ? std::get_if<Object>(&value->is) : nullptr;
}

int64_t OffsetOf(std::string_view text) {
  int64_t offset = 0;
  std::from_chars(text.data(), text.data() + text.size(), offset);
  return offset;
}

// Records the decision about a document until the effects of its batch are saved. Those of earlier
// batches of the partition are.
void Record(const Event& event, Object decision, Object& state) {
  Object& decided = state.Child(kDecided);
  Object& of_partition = decided.Child(event.partition);
  std::erase_if(of_partition.members(), [&](const Object::Member& member) {
    return OffsetOf(member.first) < event.batch_first;
  });
  if (!decision.members().empty())
    of_partition[std::to_string(event.offset)].is = std::move(decision);
  if (!of_partition.members().empty()) return;
  std::erase_if(decided.members(),
                [&](const Object::Member& member) { return member.first == event.partition; });
}

void Decide(const Event& event, const FoldOptions& options, Projection& fold) {
  const Document& document = *event.document;
  NameAsset(document.tenant, document.asset, fold.members);
  // Their order does not depend on which comes first.
  fold.members.Child(kFailure);
  fold.members.Child(kRules);
  Object decision;
  if (IsMachine(document)) {
    Object failure;
    DecideFailure(event, fold.members.Child(kFailure), failure);
    if (!failure.members().empty()) decision[kFailure].is = std::move(failure);
  }
  if (AnyRuleFor(document, options)) {
    Object rules;
    DecideRules(event, options, fold.members.Child(kRules), rules);
    if (!rules.members().empty()) decision[kRules].is = std::move(rules);
  }
  Record(event, std::move(decision), fold.state);
}

void Follow(const Event& event, const FoldOptions& options, const Projection& fold, Effects& then) {
  const Object* decision = ChildOf(ChildOf(ChildOf(&fold.state, kDecided), event.partition),
                                   std::to_string(event.offset));
  if (const Object* failure = ChildOf(decision, kFailure)) FollowFailure(event, *failure, then);
  if (const Object* rules = ChildOf(decision, kRules)) FollowRules(event, options, *rules, then);
}
}  // namespace

bool ComesFromGateway(const Document& document) {
  return !document.provenance.gateway.empty() || !document.provenance.sequence_id.empty();
}

bool TakeInOrder(const Event& event, Object& state) {
  const WallTime time = BoundedTime(*event.document);
  const auto newest = state.Time("newest");
  if (newest &&
      std::tuple(time, std::string_view(event.partition), event.offset) <
          std::tuple(*newest, state.Text("newest_partition"), state.Integer("newest_offset")))
    return false;
  state["newest"].is = time;
  state["newest_partition"].is = event.partition;
  state["newest_offset"].is = event.offset;
  return true;
}

bool HasState(const Document& document, const FoldOptions& options) {
  switch (document.stream->kind) {
    case StreamKind::kHeartbeat:
    case StreamKind::kReading:
    case StreamKind::kMachine:
      return !document.asset.empty() && (IsMachine(document) || AnyRuleFor(document, options));
    case StreamKind::kAlert:
    case StreamKind::kGap:
    case StreamKind::kSales:
      break;
  }
  return false;
}

void FoldState(const Event& event, const FoldOptions& options, Effects& effects) {
  const Document& document = *event.document;
  if (!HasState(document, options)) return;
  effects.changes.push_back({{{document.ns.database, "tidegate_folds"}, AssetId(document)},
                             [&event, &options](Projection& fold) { Decide(event, options, fold); },
                             [&event, &options](const Projection& fold, Effects& then) {
                               Follow(event, options, fold, then);
                             }});
}

}  // namespace tidegate::reader
