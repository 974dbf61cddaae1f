// What a rule's change is as a record: core/wire/FORMAT.md, "Alert". Pure.
#pragma once

#include "core/json/json.h"
#include "core/record.h"
#include "core/rules/rules.h"

namespace tidegate {

// `changed` is the record that changed the state, `value` its field's value. Without a tenant the
// alert has none either.
Record MakeAlertRecord(const Rule& rule, const Record& changed, json::Value value,
                       RuleChange change, WallTime raised_at);

}  // namespace tidegate
