#include <algorithm>
#include <array>
#include <map>

#include "core/ascii.h"
#include "reader/config/loader.h"

namespace tidegate::reader {

namespace {
constexpr std::string_view kRulePrefix = "TIDEGATE_RULE_";

// The limits of the normal range under the names that telemetry aggregators use. If one is set, all
// four become rules, with these values for the unset ones.
struct Threshold {
  std::string_view variable;
  std::string_view rule;
  std::string_view condition;
  std::string_view fallback;
};
constexpr std::array<Threshold, 4> kThresholds{
    {{"TEMP_MIN_THRESHOLD", "temp_min", "temperature_c <", "-10"},
     {"TEMP_MAX_THRESHOLD", "temp_max", "temperature_c >", "50"},
     {"HUMIDITY_MIN_THRESHOLD", "humidity_min", "humidity <", "0"},
     {"HUMIDITY_MAX_THRESHOLD", "humidity_max", "humidity >", "100"}}};

}  // namespace

void Loader::LoadRules() {
  std::map<std::string, Found> texts;
  for (auto& [suffix, found] : environment_.WithPrefix(kRulePrefix))
    texts[AsciiLower(suffix)] = found;
  const auto value = [&](const Threshold& threshold) {
    return environment_.Find("", std::array{Alias{threshold.variable}});
  };
  if (std::ranges::any_of(kThresholds, [&](const auto& one) { return value(one).has_value(); })) {
    for (const Threshold& threshold : kThresholds) {
      const Found found =
          value(threshold).value_or(Found{std::string(threshold.fallback), "default"});
      const std::string text = fmt::format("{} {}", threshold.condition, found.value);
      texts.emplace(threshold.rule, Found{text, found.origin});
    }
  }
  for (const auto& [name, found] : texts) {
    auto rule = ParseRule(name, found.value);
    const std::string variable = AsciiUpper(std::string(kRulePrefix) + name);
    Show(variable, found.value, found.origin);
    if (rule.ok()) {
      config_.rules.push_back(std::move(rule).value());
    } else {
      Problem(found.origin == "default" ? variable : found.origin, rule.error().message);
    }
  }
}

}  // namespace tidegate::reader
