#include "uplink/gate/budget_state.h"

#include <charconv>
#include <limits>
#include <optional>
#include <system_error>

#include "core/check.h"
#include "core/json/json.h"

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

std::optional<int64_t> Number(const json::Value& object, std::string_view key, int64_t most) {
  const auto member = object.Find(key);
  if (!member || !member->is_number()) return std::nullopt;
  const std::string_view text = member->number_text();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (number < -most || number > most) return std::nullopt;
  return number;
}

std::optional<ByteBudget::State> DecodeState(const json::Value& object) {
  const auto boot = object.Find("boot");
  const auto ends = Number(object, "ends_ms", kMaxMilliseconds);
  const auto left = Number(object, "left_ms", kMaxMilliseconds);
  const auto charged = Number(object, "charged", kMaxBytesCharged);
  if (!boot || !boot->is_string() || !ends || !left || !charged || *charged < 0)
    return std::nullopt;
  ByteBudget::State state{std::string(boot->as_string()), milliseconds(*ends), milliseconds(*left),
                          std::nullopt, static_cast<uint64_t>(*charged)};
  if (const auto wall = Number(object, "ends_wall_ms", kMaxMilliseconds))
    state.ends_wall = WallTime(milliseconds(*wall));
  return state;
}

void EncodeState(json::Writer& writer, const ByteBudget::State& state) {
  const auto integer = [&](std::string_view key, int64_t number) {
    writer.Key(key);
    writer.Integer(number);
  };
  writer.BeginObject();
  writer.Key("boot");
  writer.String(state.boot_id);
  integer("ends_ms", std::chrono::floor<milliseconds>(state.ends).count());
  integer("left_ms", std::chrono::floor<milliseconds>(state.left).count());
  if (state.ends_wall) integer("ends_wall_ms", state.ends_wall->time_since_epoch().count());
  CHECK(state.charged <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()),
        "a charge is a signed number in the store");
  integer("charged", static_cast<int64_t>(state.charged));
  writer.EndObject();
}
}  // namespace

std::string EncodeBudgets(const BudgetStates& states) {
  std::string text;
  json::Writer writer(text);
  writer.BeginObject();
  for (const auto& [period, state] : states) {
    writer.Key(NameOf(period));
    EncodeState(writer, state);
  }
  writer.EndObject();
  return text;
}

Result<BudgetStates> DecodeBudgets(std::string_view text) {
  const Error corrupt{ErrorCode::kCorrupt, "what the store holds of it cannot be read"};
  const auto document = json::Document::Parse(text, {.max_bytes = kMaxBytes});
  if (!document.ok() || !document->root().is_object()) return corrupt;
  BudgetStates states;
  for (auto period : {BudgetLimit::Period::kHour, BudgetLimit::Period::kDay}) {
    const auto object = document->root().Find(NameOf(period));
    if (!object) continue;
    const auto state = DecodeState(*object);
    if (!state) return corrupt;
    states[period] = *state;
  }
  return states;
}

}  // namespace tidegate
