// The rules' states as a fold over the records: each record may raise or clear alerts, which are
// records themselves and join its commit. Pure but for the state it holds. Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/pipeline/decode.h"
#include "core/record.h"
#include "core/rules/rules.h"

namespace tidegate {

class Alerts {
 public:
  explicit Alerts(std::vector<Rule> rules) : rules_(std::move(rules)) {}

  // Folds one record in. `arrival` is the time since boot, for records whose source gave no time.
  // Calls `emit` for each change.
  void Fold(const DecodedRecord& decoded, BootTime arrival,
            const std::function<void(Record, RuleChange)>& emit);

  size_t raised() const { return raised_; }
  size_t rule_count() const { return rules_.size(); }

 private:
  std::vector<Rule> rules_;
  // By record key, then by the rule's place in rules_; only states that differ from the default are
  // kept.
  std::map<std::string, std::map<size_t, RuleState>, std::less<>> states_;
  size_t raised_ = 0;
};

// The alert's record: FORMAT.md. `changed` is the record that changed the state, `value` its
// field's value.
Record MakeAlertRecord(const Rule& rule, const Record& changed, json::Value value,
                       RuleChange change, WallTime raised_at);

}  // namespace tidegate
