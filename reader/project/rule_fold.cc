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
  return {axis, document.time.time_since_epoch()};
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

Object WriteState(const RuleState& state) {
  Object kept;
  kept["raised"].is = state.raised;
  kept["raised_at"].is = state.raised_at;
  if (state.met_since) {
    kept["met_since"].is = WallTime(state.met_since->at);
    kept["met_by_source"].is = state.met_since->axis == TimeSource::kSource;
  }
  return kept;
}

// Makes the alert's document, for the collection of the alerts that gateways send. Its provenance
// is that of the document that raised it.
Document AlertOf(const Rule& rule, const Document& cause, json::Value value, RuleChange change,
                 WallTime raised_at, const std::string& collection) {
  Record changed;
  changed.time = cause.time;
  changed.tenant = cause.tenant;
  changed.asset = cause.asset;
  const Record record = MakeAlertRecord(rule, changed, value, change, raised_at);
  Document alert{.ns = {cause.ns.database, collection},
                 .value = json::Document::Parse(record.value, kAlertLimits).value()};
  alert.tenant = cause.tenant;
  alert.asset = cause.asset;
  alert.time = cause.time;
  alert.provenance = cause.provenance;
  alert.id = AlertId({.tenant = cause.tenant.empty() ? "-" : cause.tenant,
                      .asset = cause.asset,
                      .rule = rule.name,
                      .raised_at = raised_at,
                      .status = change == RuleChange::kRaised ? "raised" : "cleared"});
  return alert;
}
}  // namespace

void FoldRules(const Event& event, const FoldOptions& options, Object& states, Effects& then) {
  const Document& document = *event.document;
  for (const Rule& rule : options.rules) {
    if (!rule.AppliesTo(document.tenant, document.asset)) continue;
    const auto field = FindField(document.value.root(), rule.field);
    if (!field) continue;
    const bool known = states.Find(rule.name) != nullptr;
    RuleState state = known ? ReadState(states.Child(rule.name)) : RuleState();
    const RuleState before = state;
    const RuleChange change = Evaluate(rule, field, MomentOf(document), document.time, state);
    if (!(state == before)) states[rule.name].is = WriteState(state);
    if (change == RuleChange::kNone) continue;
    Document alert =
        AlertOf(rule, document, *field, change, state.raised_at, options.alerts_collection);
    FoldAlert(alert, "server", then);
    then.alerts.push_back(std::move(alert));
  }
}

}  // namespace tidegate::reader
