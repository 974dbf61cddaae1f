#include <fnmatch.h>

#include <utility>

#include "core/rules/rules.h"

namespace tidegate {

namespace {
// Returns the member of that exact name, else the value at the path whose steps the dots separate.
std::optional<json::Value> FindPath(json::Value object, std::string_view path) {
  if (const auto member = object.Find(path)) return member;
  const size_t dot = path.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto step = object.Find(path.substr(0, dot));
  return step ? FindPath(*step, path.substr(dot + 1)) : std::nullopt;
}

bool Compare(double field, RuleOperator op, double value) {
  switch (op) {
    case RuleOperator::kGreater:
      return field > value;
    case RuleOperator::kGreaterOrEqual:
      return field >= value;
    case RuleOperator::kLess:
      return field < value;
    case RuleOperator::kLessOrEqual:
      return field <= value;
    case RuleOperator::kEqual:
      return field == value;
    case RuleOperator::kNotEqual:
      return field != value;
  }
  return false;
}

// Returns whether the field meets the condition; nullopt if its type is not that of the rule's
// value.
std::optional<bool> Met(const Rule& rule, json::Value field) {
  const bool wants_equal = rule.op == RuleOperator::kEqual;
  if (const double* number = std::get_if<double>(&rule.value)) {
    if (!field.is_number()) return std::nullopt;
    return Compare(field.as_number(), rule.op, *number);
  }
  if (const bool* truth = std::get_if<bool>(&rule.value)) {
    if (field.type() != json::Type::kBool) return std::nullopt;
    return (field.as_bool() == *truth) == wants_equal;
  }
  if (!field.is_string()) return std::nullopt;
  return (field.as_string() == *std::get_if<std::string>(&rule.value)) == wants_equal;
}

RuleChange WhileCalm(const Rule& rule, bool met, Moment moment, WallTime record_time,
                     RuleState& state) {
  if (!met) {
    state.met_since.reset();
    return RuleChange::kNone;
  }
  // A late record, or one after a clock was set back, moves the beginning of the wait: it must
  // never be in the future.
  if (!state.met_since || state.met_since->axis != moment.axis || moment.at < state.met_since->at) {
    state.met_since = moment;
  }
  if (moment.at - state.met_since->at < rule.hold) return RuleChange::kNone;
  state = {.raised = true, .met_since = std::nullopt, .raised_at = record_time};
  return RuleChange::kRaised;
}
}  // namespace

bool operator==(const RuleState& a, const RuleState& b) {
  const auto since = [](const RuleState& state) {
    return state.met_since ? std::optional(std::pair(state.met_since->axis, state.met_since->at))
                           : std::nullopt;
  };
  return a.raised == b.raised && a.raised_at == b.raised_at && since(a) == since(b);
}

bool Rule::AppliesTo(std::string_view tenant_name, std::string_view asset_name) const {
  if (!tenant.empty() && tenant != tenant_name) return false;
  return asset == "*" || ::fnmatch(asset.c_str(), std::string(asset_name).c_str(), 0) == 0;
}

std::optional<json::Value> FindField(json::Value record, std::string_view field) {
  if (const auto found = FindPath(record, field)) return found;
  const auto additional = record.Find("additional_data");
  return additional ? FindPath(*additional, field) : std::nullopt;
}

RuleChange Evaluate(const Rule& rule, std::optional<json::Value> field, Moment moment,
                    WallTime record_time, RuleState& state) {
  const std::optional<bool> met = field ? Met(rule, *field) : std::nullopt;
  if (!met) return RuleChange::kNone;
  if (!state.raised) return WhileCalm(rule, *met, moment, record_time, state);
  const bool holds = rule.clear ? Compare(field->as_number(), rule.op, *rule.clear) : *met;
  if (holds) return RuleChange::kNone;
  // raised_at is kept: it identifies the alert that ends here.
  state.raised = false;
  return RuleChange::kCleared;
}

}  // namespace tidegate
