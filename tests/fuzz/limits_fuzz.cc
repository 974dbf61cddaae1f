// What an operator allows the uplink, and what the store holds of it.
#include "tests/fuzz/fuzz.h"
#include "tests/support/fake_clock.h"
#include "uplink/gate/budget_state.h"
#include "uplink/gate/send_limits.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tidegate::fuzz::Check;
  const std::string_view text = tidegate::fuzz::TextOf(data, size);
  if (const auto windows = tidegate::ParseWindows(text); windows.ok()) {
    const auto next = tidegate::UntilChange(*windows, std::chrono::hours(12));
    Check(next > std::chrono::seconds(0) && next <= std::chrono::hours(24), "within a day");
  }
  if (const auto budgets = tidegate::ParseBudgets(text); budgets.ok()) {
    Check(!budgets->empty() && budgets->size() <= 2, "one for each period");
  }
  const auto states = tidegate::DecodeBudgets(text);
  if (!states.ok()) return 0;
  const tidegate::FakeClock clock;
  for (const auto& [period, state] : *states) {
    tidegate::ByteBudget budget({tidegate::kMinBudgetBytes, period}, clock);
    budget.Restore(state);
    Check(budget.ends() - clock.SinceBoot() <= budget.limit().PeriodLength(), "no longer than one");
  }
  return 0;
}
