#include <algorithm>
#include <utility>

#include "core/rules/alert_record.h"
#include "core/wire/wire_message.h"
#include "reader/project/state_fold.h"

namespace tidegate::reader {

namespace {
// An alert holds the text that a rule compares twice, escaped, and the text may be as long as its
// message.
constexpr json::Limits kAlertLimits{.max_bytes = 16 * 1024 * 1024};

Moment MomentOf(const Document& document) {
  const auto axis =
      document.provenance.time == TimeOrigin::kSource ? TimeSource::kSource : TimeSource::kGateway;
  return {axis, BoundedTime(document).time_since_epoch()};
}

RuleState ReadState(const Object& kept) {
  RuleState state{.raised = kept.Bool("raised"), .met_since = std::nullopt};
  state.raised_at = kept.Time("raised_at").value_or(WallTime());
  if (const auto since = kept.Time("met_since")) {
    state.met_since =
        Moment{kept.Bool("met_by_source") ? TimeSource::kSource : TimeSource::kGateway,
               since->time_since_epoch()};
  }
  return state;
}

void WriteState(const RuleState& state, Object& kept) {
  kept["raised"].is = state.raised;
  kept["raised_at"].is = state.raised_at;
  kept["met_since"].is = nullptr;
  if (!state.met_since) return;
  kept["met_since"].is = WallTime(state.met_since->at);
  kept["met_by_source"].is = state.met_since->axis == TimeSource::kSource;
}

// Makes the alert's document, for the collection of the alerts that gateways send. Its provenance
// is that of the document that raised it.
Document AlertOf(const Rule& rule, const Document& cause, json::Value value, RuleChange change,
                 WallTime raised_at, const std::string& collection) {
  Record changed;
  changed.time = BoundedTime(cause);
  changed.tenant = cause.tenant;
  changed.asset = cause.asset;
  const Record record = MakeAlertRecord(rule, changed, value, change, raised_at);
  Document alert{.ns = {cause.ns.database, collection},
                 .value = json::Document::Parse(record.value, kAlertLimits).value()};
  alert.tenant = cause.tenant;
  alert.asset = cause.asset;
  alert.time = changed.time;
  alert.provenance = cause.provenance;
  alert.id = AlertId({.tenant = cause.tenant.empty() ? "-" : cause.tenant,
                      .asset = cause.asset,
                      .rule = rule.name,
                      .raised_at = raised_at,
                      .status = change == RuleChange::kRaised ? "raised" : "cleared"});
  return alert;
}
}  // namespace

void DecideRules(const Event& event, const FoldOptions& options, Object& states, Object& decision) {
  const Document& document = *event.document;
  for (const Rule& rule : options.rules) {
    if (!rule.AppliesTo(document.tenant, document.asset)) continue;
    const auto field = FindField(document.value.root(), rule.field);
    if (!field) continue;
    Object& kept = states.Child(rule.name);
    if (!TakeInOrder(event, kept)) continue;
    RuleState state = ReadState(kept);
    const RuleChange change =
        Evaluate(rule, field, MomentOf(document), BoundedTime(document), state);
    WriteState(state, kept);
    if (change == RuleChange::kNone) continue;
    Object& changed = decision.Child(rule.name);
    changed["raised"].is = change == RuleChange::kRaised;
    changed["raised_at"].is = state.raised_at;
  }
}

void FollowRules(const Event& event, const FoldOptions& options, const Object& decision,
                 Effects& then) {
  const Document& document = *event.document;
  for (const auto& [name, value] : decision.members()) {
    const auto* changed = std::get_if<Object>(&value.is);
    const auto rule = std::ranges::find(options.rules, name, &Rule::name);
    if (!changed || rule == options.rules.end()) continue;
    const auto field = FindField(document.value.root(), rule->field);
    const auto raised_at = changed->Time("raised_at");
    if (!field || !raised_at) continue;
    const RuleChange change = changed->Bool("raised") ? RuleChange::kRaised : RuleChange::kCleared;
    Document alert =
        AlertOf(*rule, document, *field, change, *raised_at, options.alerts_collection);
    FoldAlert(alert, "server", then);
    then.alerts.push_back(std::move(alert));
  }
}

}  // namespace tidegate::reader
