#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <utility>
#include <vector>

#include "core/quantity.h"
#include "core/rules/rules.h"

namespace tidegate {

namespace {
constexpr size_t kMaxNameBytes = 64;
constexpr std::array<std::pair<std::string_view, RuleOperator>, 6> kOperators{{
    {">", RuleOperator::kGreater},
    {">=", RuleOperator::kGreaterOrEqual},
    {"<", RuleOperator::kLess},
    {"<=", RuleOperator::kLessOrEqual},
    {"==", RuleOperator::kEqual},
    {"!=", RuleOperator::kNotEqual},
}};

struct Word {
  std::string text;
  bool quoted = false;
};

template <typename... Args>
Error Invalid(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorCode::kInvalid, fmt::format(format, std::forward<Args>(args)...)};
}

Result<std::vector<Word>> Split(std::string_view text) {
  constexpr std::string_view kSpaces = " \t";
  std::vector<Word> words;
  for (;;) {
    const size_t start = text.find_first_not_of(kSpaces);
    if (start == std::string_view::npos) return words;
    text.remove_prefix(start);
    if (text.front() == '"') {
      const size_t end = text.find('"', 1);
      if (end == std::string_view::npos) return Invalid("{} has no closing quote", text);
      words.push_back({std::string(text.substr(1, end - 1)), true});
      text.remove_prefix(end + 1);
      continue;
    }
    const size_t end = std::min(text.find_first_of(kSpaces), text.size());
    words.push_back({std::string(text.substr(0, end)), false});
    text.remove_prefix(end);
  }
}

std::optional<double> ParseNumber(const Word& word) {
  if (word.quoted) return std::nullopt;
  double number = 0;
  const char* const last = word.text.data() + word.text.size();
  const auto [end, error] = std::from_chars(word.text.data(), last, number);
  if (error != std::errc{} || end != last || !std::isfinite(number)) return std::nullopt;
  return number;
}

bool IsOrdered(RuleOperator op) {
  return op != RuleOperator::kEqual && op != RuleOperator::kNotEqual;
}

bool IsField(std::string_view field) {
  return !field.empty() && field.front() != '.' && field.back() != '.' &&
         field.find("..") == std::string_view::npos;
}

// Reads the words from left to right into one rule, up to the first error.
class Parser {
 public:
  explicit Parser(std::vector<Word> words) : words_(std::move(words)) {}

  Status Parse(Rule& rule) {
    if (Status condition = ParseCondition(rule); !condition.ok()) return condition;
    while (at_ < words_.size()) {
      if (Status clause = ParseClause(rule); !clause.ok()) return clause;
    }
    return CheckClear(rule);
  }

 private:
  const Word* Take() { return at_ < words_.size() ? &words_[at_++] : nullptr; }

  Status ParseCondition(Rule& rule) {
    const Word* field = Take();
    if (!field) return Invalid("it is empty; expected <field> <op> <value>");
    if (!IsField(field->text))
      return Invalid("\"{}\" is no field; expected a member's name", field->text);
    if (!field->quoted && field->text.find_first_of("<>=!") != std::string::npos) {
      return Invalid("\"{}\": put spaces around the operator", field->text);
    }
    rule.field = field->text;
    const Word* op = Take();
    if (!op) return Invalid("nothing follows \"{}\"; expected > >= < <= == or !=", field->text);
    const auto* known = std::ranges::find(kOperators, std::string_view(op->text),
                                          [](const auto& o) { return o.first; });
    if (known == kOperators.end())
      return Invalid("\"{}\" is no operator; expected > >= < <= == or !=", op->text);
    rule.op = known->second;
    const Word* value = Take();
    if (!value) return Invalid("nothing follows \"{}\"; expected a value", op->text);
    return ParseValue(*value, rule);
  }

  static Status ParseValue(const Word& word, Rule& rule) {
    if (const auto number = ParseNumber(word)) {
      rule.value = *number;
    } else if (IsOrdered(rule.op)) {
      return Invalid("\"{}\" is no number; {} compares numbers", word.text,
                     RuleOperatorText(rule.op));
    } else if (!word.quoted && (word.text == "true" || word.text == "false")) {
      rule.value = word.text == "true";
    } else {
      rule.value = word.text;
    }
    return {};
  }

  Status ParseClause(Rule& rule) {
    const std::string& name = Take()->text;
    if (std::ranges::find(seen_, name) != seen_.end())
      return Invalid("\"{}\" is given twice", name);
    seen_.push_back(name);
    using Read = Status (*)(const Word&, Rule&);
    constexpr std::array<std::pair<std::string_view, Read>, 5> kClauses{{
        {"clear", &Parser::ReadClear},
        {"for", &Parser::ReadHold},
        {"severity", &Parser::ReadSeverity},
        {"tenant", &Parser::ReadTenant},
        {"asset", &Parser::ReadAsset},
    }};
    for (const auto& [clause, read] : kClauses) {
      if (clause != name) continue;
      const Word* word = Take();
      return word ? read(*word, rule) : Invalid("nothing follows \"{}\"", name);
    }
    return Invalid("\"{}\" is unknown; expected clear, for, severity, tenant or asset", name);
  }

  static Status ReadClear(const Word& word, Rule& rule) {
    rule.clear = ParseNumber(word);
    if (!rule.clear) return Invalid("clear \"{}\" is no number", word.text);
    return {};
  }
  static Status ReadHold(const Word& word, Rule& rule) {
    const auto hold = ParseDuration(word.text);
    if (!hold)
      return Invalid("for \"{}\" is no duration; expected one like 500ms, 10s, 5m", word.text);
    rule.hold = *hold;
    return {};
  }
  static Status ReadSeverity(const Word& word, Rule& rule) {
    if (word.text != "info" && word.text != "warning" && word.text != "critical") {
      return Invalid("severity \"{}\" is unknown; expected info, warning or critical", word.text);
    }
    rule.severity = word.text;
    return {};
  }
  static Status ReadTenant(const Word& word, Rule& rule) {
    if (!IsTenantName(word.text)) return Invalid("tenant \"{}\" is no tenant's name", word.text);
    rule.tenant = word.text;
    return {};
  }
  static Status ReadAsset(const Word& word, Rule& rule) {
    if (!IsAssetName(word.text)) return Invalid("asset \"{}\" is no name or pattern", word.text);
    rule.asset = word.text;
    return {};
  }

  static Status CheckClear(const Rule& rule) {
    if (!rule.clear) return {};
    const std::string_view op = RuleOperatorText(rule.op);
    if (!IsOrdered(rule.op)) return Invalid("clear goes with > >= < <=, not with {}", op);
    const double value = *std::get_if<double>(&rule.value);
    const bool upwards =
        rule.op == RuleOperator::kGreater || rule.op == RuleOperator::kGreaterOrEqual;
    if (upwards && *rule.clear > value)
      return Invalid("clear {} is above {} {}: it would clear at once", *rule.clear, op, value);
    if (!upwards && *rule.clear < value)
      return Invalid("clear {} is below {} {}: it would clear at once", *rule.clear, op, value);
    return {};
  }

  std::vector<Word> words_;
  size_t at_ = 0;
  std::vector<std::string> seen_;
};

// The name is part of the alert's id, so only characters of a variable's name are allowed.
bool IsRuleNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}
}  // namespace

std::string_view RuleOperatorText(RuleOperator op) {
  for (const auto& [text, known] : kOperators) {
    if (known == op) return text;
  }
  return "?";
}

Result<Rule> ParseRule(std::string_view name, std::string_view text) {
  Rule rule;
  std::ranges::transform(name, std::back_inserter(rule.name), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (rule.name.empty() || rule.name.size() > kMaxNameBytes ||
      !std::ranges::all_of(rule.name, IsRuleNameChar)) {
    return Invalid("\"{}\" is no rule's name; expected 1 to 64 of letters, digits, _ and -", name);
  }
  Result<std::vector<Word>> words = Split(text);
  if (!words) return words.error();
  if (Status parsed = Parser(std::move(*words)).Parse(rule); !parsed.ok()) return parsed.error();
  return rule;
}

}  // namespace tidegate
