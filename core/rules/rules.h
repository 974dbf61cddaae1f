// Threshold rules: text to rule, and rule with value to "raised" or "cleared". Pure: the caller
// keeps one RuleState for each rule and asset and says what time it is. The agent and the reader
// share this.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/json/json.h"
#include "core/record.h"
#include "core/result.h"

namespace tidegate {

enum class RuleOperator { kGreater, kGreaterOrEqual, kLess, kLessOrEqual, kEqual, kNotEqual };

// <field> <op> <value> [clear <value>] [for <duration>] [severity <s>] [tenant <t>] [asset <glob>]
struct Rule {
  std::string name;   // Lower case.
  std::string field;  // A member of the record or of its additional_data; dots go deeper:
                      // location.latitude.
  RuleOperator op = RuleOperator::kGreater;
  std::variant<double, bool, std::string> value;
  std::optional<double>
      clear;  // Hysteresis: cleared only when not (field op clear). Ordered operators only.
  std::chrono::milliseconds hold{
      0};  // "for": how long the condition must hold before the alert is raised.
  std::string severity = "warning";  // info, warning, critical
  std::string tenant;                // Empty: every tenant.
  std::string asset = "*";           // fnmatch(3) pattern.

  bool AppliesTo(std::string_view tenant_name, std::string_view asset_name) const;
};

// kInvalid: what is wrong and what was expected, for people. Quotes ("...") keep spaces in a value
// or pattern.
Result<Rule> ParseRule(std::string_view name, std::string_view text);
std::string_view RuleOperatorText(RuleOperator op);

// A point on the time axis that "for" is measured on: the source's own time, or time since boot
// where the source gave none. Never the gateway's wall clock. Different axes are not compared; a
// change of axis starts the wait anew.
struct Moment {
  TimeSource axis = TimeSource::kSource;
  std::chrono::milliseconds at{0};
};

// Of one rule for one asset. The default is: not raised, condition not met.
struct RuleState {
  bool raised = false;
  std::optional<Moment> met_since;  // The condition has held since; only while not raised.
  WallTime raised_at{};             // The time of the record that raised it.
  friend bool operator==(const RuleState& a, const RuleState& b);
};

enum class RuleChange { kNone, kRaised, kCleared };

// The rule's field in a record: looked up in `record` (the canonical value's object), then in its
// additional_data.
std::optional<json::Value> FindField(json::Value record, std::string_view field);

// Folds one value into the state. A missing field, or one of another type than the rule's value,
// changes nothing. `record_time` goes into raised_at.
RuleChange Evaluate(const Rule& rule, std::optional<json::Value> field, Moment moment,
                    WallTime record_time, RuleState& state);

}  // namespace tidegate
