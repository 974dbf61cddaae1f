// Makes the record that reports that an alert was raised or cleared. Its format is "Alert" in
// core/wire/FORMAT.md. Pure; any thread.
#pragma once

#include "core/json/json.h"
#include "core/record.h"
#include "core/rules/rules.h"

namespace tidegate {

// `changed` is the record that raised or cleared the alert, and `value` the value of the rule's
// field in it. The alert has the tenant, the asset and the time of that record. REQUIRES: `change`
// is not kNone.
Record MakeAlertRecord(const Rule& rule, const Record& changed, json::Value value,
                       RuleChange change, WallTime raised_at);

}  // namespace tidegate
