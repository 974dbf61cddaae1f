#include "uplink/gate/budget_state.h"

#include <limits>
#include <optional>

#include "core/check.h"
#include "core/json/tree.h"

namespace tidegate {

namespace {
using std::chrono::milliseconds;

constexpr size_t kMaxBytes = 4096;
// In bytes, more than any link carries.
constexpr int64_t kMaxBytesCharged = int64_t{1} << 53;
// 139 years: nanoseconds of it, twice, are still a number.
constexpr int64_t kMaxMilliseconds = int64_t{1} << 42;

std::string_view NameOf(BudgetLimit::Period period) {
  return BudgetLimit{0, period}.PeriodName();
}

std::optional<int64_t> Number(const json::Item& object, std::string_view key, int64_t most) {
  const auto number = object.Integer(key);
  if (!number.ok() || *number < -most || *number > most) return std::nullopt;
  return *number;
}

std::optional<ByteBudget::State> DecodeState(const json::Item& object) {
  const auto boot = object.Text("boot");
  const auto ends = Number(object, "ends_ms", kMaxMilliseconds);
  const auto left = Number(object, "left_ms", kMaxMilliseconds);
  const auto charged = Number(object, "charged", kMaxBytesCharged);
  if (!boot.ok() || !ends || !left || !charged || *charged < 0) return std::nullopt;
  ByteBudget::State state{std::string(*boot), milliseconds(*ends), milliseconds(*left),
                          std::nullopt, static_cast<uint64_t>(*charged)};
  if (const auto wall = Number(object, "ends_wall_ms", kMaxMilliseconds))
    state.ends_wall = WallTime(milliseconds(*wall));
  return state;
}

void EncodeState(json::Members object, const ByteBudget::State& state) {
  object.Text("boot", state.boot_id);
  object.Integer("ends_ms", std::chrono::floor<milliseconds>(state.ends).count());
  object.Integer("left_ms", std::chrono::floor<milliseconds>(state.left).count());
  if (state.ends_wall) object.Integer("ends_wall_ms", state.ends_wall->time_since_epoch().count());
  CHECK(state.charged <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()),
        "a charge is a signed number in the store");
  object.Integer("charged", static_cast<int64_t>(state.charged));
}
}  // namespace

std::string EncodeBudgets(const BudgetStates& states) {
  json::Tree tree;
  for (const auto& [period, state] : states)
    EncodeState(tree.members().Object(NameOf(period)), state);
  return tree.Print();
}

Result<BudgetStates> DecodeBudgets(std::string_view text) {
  const Error corrupt{ErrorCode::kCorrupt, "what the store holds of it cannot be read"};
  const auto tree = json::Tree::Parse(text, {.max_bytes = kMaxBytes});
  if (!tree.ok() || !tree->root().is_object()) return corrupt;
  BudgetStates states;
  for (auto period : {BudgetLimit::Period::kHour, BudgetLimit::Period::kDay}) {
    const auto object = tree->root().Find(NameOf(period));
    if (!object) continue;
    const auto state = DecodeState(*object);
    if (!state) return corrupt;
    states[period] = *state;
  }
  return states;
}

}  // namespace tidegate
