// The names of the agent's variables and the small grammars of their values. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate {

// True for a variable that stands alone, as TIDEGATE_TENANT.
bool IsSingleVariable(std::string_view name);

enum class FamilyKind { kInput, kRule, kKafka, kLater };
// Variables that share a beginning: TIDEGATE_INPUT_<NAME>.
struct Family {
  std::string_view prefix;
  FamilyKind kind;
  bool later;             // Part of the contract, but not of this version.
  std::string_view what;  // For people.
};
const Family* FamilyOf(std::string_view name);

// Everything that could have been meant, for "did you mean".
std::vector<std::string> KnownNames();

// "a, b,c" to its elements without white space; empty elements are kept, so that they fail the
// element's own check.
std::vector<std::string> SplitList(std::string_view text);
std::optional<uint64_t> ParseCount(std::string_view text);
bool IsTopicTemplate(std::string_view text);

}  // namespace tidegate
