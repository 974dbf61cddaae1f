#include "agent/pipeline/fold.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/rules/alert_record.h"

namespace tidegate {

namespace {

using std::chrono::milliseconds;

void AssignKey(std::string& key, std::string_view tenant, std::string_view asset) {
  key.assign(tenant);
  key.push_back('/');
  key.append(asset);
}

Moment MomentOf(const Record& record, milliseconds since_boot) {
  if (record.time_source == TimeSource::kSource)
    return {TimeSource::kSource, record.time.time_since_epoch()};
  return {TimeSource::kGateway, since_boot};
}

// The time at which an alert was raised is part of its id, and several records may have one time.
// So the next alert is dated a millisecond later, and the time is kept until the records are past
// it; otherwise an alert that is cleared leaves no state.
void KeepTimesApart(const RuleState& previous, WallTime record_time, RuleState& state) {
  const bool raised_now = state.raised && !previous.raised;
  if (raised_now && previous.raised_at != WallTime() && previous.raised_at >= state.raised_at)
    state.raised_at = previous.raised_at + milliseconds(1);
  if (!state.raised && record_time > state.raised_at) state.raised_at = {};
}

}  // namespace

Fold::Fold(std::vector<Rule> rules, Options options)
    : assets_(options.assets, [this](const Asset& asset) { OnForget(asset); }) {
  for (Rule& rule : rules) {
    RuleIdentity identity{rule.name, RuleDefinition(rule)};
    rules_.push_back({std::move(identity), std::move(rule)});
  }
}

void Fold::Clear() {
  assets_.Clear();
  raised_ = 0;
  std::erase_if(rules_, [](const FoldedRule& folded) { return !folded.rule; });
  for (FoldedRule& folded : rules_) folded.evaluated_before = true;
}

void Fold::Load(const FoldState& saved) {
  Clear();
  for (FoldedRule& folded : rules_) {
    folded.evaluated_before = std::ranges::find(saved.rules, folded.identity) != saved.rules.end();
  }
  std::vector<uint32_t> place;  // The index in rules_ of each saved rule.
  for (const RuleIdentity& identity : saved.rules) {
    const auto same = std::ranges::find(
        rules_, identity.name, [](const FoldedRule& folded) { return folded.identity.name; });
    place.push_back(static_cast<uint32_t>(same - rules_.begin()));
    if (same == rules_.end()) rules_.push_back({identity, std::nullopt});
  }
  for (Asset asset : saved.assets) {
    size_t raised = 0;
    for (RuleStateOfAsset& of_asset : asset.states) {
      CHECK(of_asset.rule < place.size(), "a saved state names a saved rule");
      of_asset.rule = place[of_asset.rule];
      const FoldedRule& folded = rules_[of_asset.rule];
      if (!folded.evaluated_before) of_asset.state.met_since.reset();
      if (folded.rule && of_asset.state.raised) ++raised;
    }
    std::erase_if(asset.states, [](const auto& of_asset) { return of_asset.state == RuleState{}; });
    // Only a saved state that we did not make has an asset twice.
    if (assets_.Insert(std::move(asset))) raised_ += raised;
  }
}

void Fold::Save(FoldState& state) const {
  for (const FoldedRule& folded : rules_) state.rules.push_back(folded.identity);
  assets_.Save(state.assets);
}

void Fold::OnForget(const Asset& asset) {
  for (const auto& [rule, state] : asset.states) {
    if (!state.raised || !rules_[rule].rule) continue;
    CHECK(raised_ > 0, "a raised alert was counted");
    --raised_;
  }
  ++forgotten_;
}

void Fold::BeginBoot() {
  assets_.ChangeEach([](Asset& asset) {
    asset.arrival = milliseconds::zero();
    for (auto& [rule, state] : asset.states) {
      if (state.met_since && state.met_since->axis == TimeSource::kGateway) state.met_since.reset();
    }
    std::erase_if(asset.states, [](const auto& of_asset) { return of_asset.state == RuleState{}; });
  });
}

Asset& Fold::Touch(const Record& record, milliseconds since_boot) {
  AssignKey(key_, record.tenant, record.asset);
  Asset& asset = assets_.Touch(key_);
  asset.time = record.time;
  asset.arrival = since_boot;
  return asset;
}

const Asset* Fold::Find(std::string_view tenant, std::string_view asset) const {
  std::string key;
  AssignKey(key, tenant, asset);
  return assets_.Find(key);
}

bool Fold::IsOutdated(const Record& record) const {
  const Asset* asset = Find(record.tenant, record.asset);
  if (asset == nullptr) return false;
  return record.time_source == TimeSource::kGateway || record.time <= asset->time;
}

void Fold::Apply(const DecodedRecord& decoded, milliseconds since_boot, const Emit& emit,
                 bool retained) {
  const Record& record = decoded.record();
  if (retained && IsOutdated(record)) return;
  FoldRules(decoded, MomentOf(record, since_boot), Touch(record, since_boot), &emit);
}

void Fold::ApplyAgain(const Record& record, milliseconds since_boot, bool retained) {
  if (retained && IsOutdated(record)) return;
  FoldRules(DecodedRecord(record), MomentOf(record, since_boot), Touch(record, since_boot),
            nullptr);
}

void Fold::FoldRules(const DecodedRecord& decoded, Moment moment, Asset& asset, const Emit* emit) {
  const Record& record = decoded.record();
  for (uint32_t i = 0; i < rules_.size(); ++i) {
    const FoldedRule& folded = rules_[i];
    if (!folded.rule) return;  // The configured rules come first.
    if (emit == nullptr && !folded.evaluated_before) continue;
    if (!folded.rule->AppliesTo(record.tenant, record.asset)) continue;
    if (const auto field = decoded.Field(folded.rule->field))
      Step(decoded, i, *field, moment, asset, emit);
  }
}

void Fold::Step(const DecodedRecord& decoded, uint32_t rule, json::Value field, Moment moment,
                Asset& asset, const Emit* emit) {
  const auto kept = std::ranges::find(asset.states, rule, &RuleStateOfAsset::rule);
  RuleState state = kept == asset.states.end() ? RuleState{} : kept->state;
  const RuleState previous = state;
  const RuleChange change =
      Evaluate(*rules_[rule].rule, field, moment, decoded.record().time, state);
  KeepTimesApart(previous, decoded.record().time, state);
  if (change == RuleChange::kRaised) ++raised_;
  if (change == RuleChange::kCleared) {
    CHECK(raised_ > 0, "only a raised alert is cleared");
    --raised_;
  }
  if (change != RuleChange::kNone && emit != nullptr) {
    const WallTime raised_at = change == RuleChange::kRaised ? state.raised_at : previous.raised_at;
    (*emit)(MakeAlertRecord(*rules_[rule].rule, decoded.record(), field, change, raised_at),
            change);
  }
  if (state == previous) return;
  if (kept == asset.states.end()) {
    asset.states.push_back({rule, state});
  } else if (state == RuleState{}) {
    asset.states.erase(kept);
  } else {
    kept->state = state;
  }
  assets_.StatesChanged(asset);
}

}  // namespace tidegate
