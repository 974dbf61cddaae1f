// First line: a rule's name, the rest its text. A rule that parses evaluates whatever value comes.
#include <string>

#include "core/rules/rules.h"
#include "tests/fuzz/fuzz.h"

namespace tidegate::fuzz {
namespace {
constexpr std::string_view kRecord =
    R"({"status":"on","location":{"latitude":59.5},"additional_data":{"x":60,"t":true,"n":null,"a":[1]}})";

void EvaluateAll(const Rule& rule, json::Value record) {
  RuleState state;
  int64_t second = 0;
  for (auto value = record.Find("additional_data")->First(); value; value = value->Next()) {
    const Moment moment{TimeSource::kSource, std::chrono::seconds(++second)};
    const bool before = state.raised;
    const RuleChange change = Evaluate(rule, value, moment, WallTime(moment.at), state);
    Check((change == RuleChange::kNone) == (before == state.raised), "a change is told, once");
    Check(!state.raised || !state.met_since, "a raised alert waits for nothing");
  }
}

void ParseAndUse(std::string_view input) {
  const size_t line_end = input.find('\n');
  if (line_end == std::string_view::npos) return;
  const auto rule = ParseRule(input.substr(0, line_end), input.substr(line_end + 1));
  if (!rule.ok()) {
    Check(rule.error().code == ErrorCode::kInvalid && !rule.error().message.empty(), "it says why");
    return;
  }
  Check(!rule->field.empty() && !rule->name.empty(), "a rule has a name and a field");
  Check(rule->hold.count() >= 0, "it never waits backwards");
  rule->AppliesTo("acme", "truck-1");
  const auto document = json::Document::Parse(kRecord);
  FindField(document->root(), rule->field);
  EvaluateAll(*rule, document->root());
}
}  // namespace
}  // namespace tidegate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Configuration is bounded by the environment; long patterns only make fnmatch(3) slow.
  if (size <= 512) tidegate::fuzz::ParseAndUse(tidegate::fuzz::TextOf(data, size));
  return 0;
}
