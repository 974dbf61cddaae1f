// Threshold rules: parses the text of a rule, and decides for each record whether the rule raises
// or clears an alert. The agent and the reader share it. Pure: the caller keeps one RuleState for
// each rule and asset, and passes the time. Any thread.
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

// The text is <field> <op> <value> [clear <value>] [for <duration>] [severity <s>] [tenant <t>]
// [asset <glob>].
struct Rule {
  // In lower case.
  std::string name;
  // A member of the record or of its additional_data. Dots lead into objects: location.latitude.
  std::string field;
  RuleOperator op = RuleOperator::kGreater;
  std::variant<double, bool, std::string> value;
  // "clear", the hysteresis: a raised alert is cleared only when (field op clear) is false. Only
  // ordered operators, whose value is a number, have one.
  std::optional<double> clear;
  // "for": how long the condition must hold before the alert is raised.
  std::chrono::milliseconds hold{0};
  // info, warning or critical.
  std::string severity = "warning";
  // Empty means every tenant.
  std::string tenant;
  // A pattern of fnmatch(3).
  std::string asset = "*";

  bool AppliesTo(std::string_view tenant_name, std::string_view asset_name) const;
};

// Parses a rule. Quotes ("...") keep the spaces of a value or pattern. kInvalid: the message says
// what is wrong and what was expected.
Result<Rule> ParseRule(std::string_view name, std::string_view text);
// Returns > >= < <= == or !=.
std::string_view RuleOperatorText(RuleOperator op);

// A point on the time axis on which "for" is measured: the source's own time, or time since boot if
// the source gave none, but never the gateway's wall clock. Different axes are not compared; a
// change of the axis restarts the wait.
struct Moment {
  TimeSource axis = TimeSource::kSource;
  std::chrono::milliseconds at{0};
};

// The state of one rule for one asset. Initially the alert is not raised and the condition not met.
struct RuleState {
  bool raised = false;
  // Since when the condition has held; only while the alert is not raised.
  std::optional<Moment> met_since;
  // The time of the record that raised the alert last.
  WallTime raised_at{};
  friend bool operator==(const RuleState& a, const RuleState& b);
};

enum class RuleChange { kNone, kRaised, kCleared };

// Returns the field's value in `record`, the object of a canonical value, or else in its
// additional_data; nullopt if neither has it. A member whose name contains the dots precedes a
// path.
std::optional<json::Value> FindField(json::Value record, std::string_view field);

// Folds one field of a record into the state and returns what changed. A missing field, or one of
// another type than the rule's value, changes nothing. `record_time` becomes raised_at if the alert
// is raised.
RuleChange Evaluate(const Rule& rule, std::optional<json::Value> field, Moment moment,
                    WallTime record_time, RuleState& state);

}  // namespace tidegate
