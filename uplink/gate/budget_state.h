// The stored form of the byte budgets: JSON, so that a later version may add members. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/result.h"
#include "uplink/gate/byte_budget.h"

namespace tidegate {

using BudgetStates = std::map<BudgetLimit::Period, ByteBudget::State>;

std::string EncodeBudgets(const BudgetStates& states);
// kCorrupt: the text is not one of EncodeBudgets. Unknown periods and members are skipped.
Result<BudgetStates> DecodeBudgets(std::string_view text);

}  // namespace tidegate
