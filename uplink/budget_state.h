// The byte budgets as the store keeps them: JSON, so that a later version may add to it. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/result.h"
#include "uplink/byte_budget.h"

namespace tidegate {

using BudgetStates = std::map<BudgetLimit::Period, ByteBudget::State>;

std::string EncodeBudgets(const BudgetStates& states);
// kCorrupt: not what EncodeBudgets writes. Unknown periods and members are passed over.
Result<BudgetStates> DecodeBudgets(std::string_view text);

}  // namespace tidegate
