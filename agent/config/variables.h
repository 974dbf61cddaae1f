// The names of the agent's variables and the small grammars of their values. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate {

// True for a single variable such as TIDEGATE_TENANT, false for members of a family and others.
bool IsSingleVariable(std::string_view name);

enum class FamilyKind { kInput, kRule, kKafka, kLater };
// Variables that share a prefix, such as TIDEGATE_INPUT_<NAME>.
struct Family {
  std::string_view prefix;
  FamilyKind kind;
  // Reserved for a later version.
  bool later;
  // The plural noun for messages to people.
  std::string_view what;
};
// Returns the family that the name belongs to; nullptr: none. Valid for ever.
const Family* FamilyOf(std::string_view name);

// Returns the names that can be meant, families as PREFIX_<NAME>, for "did you mean".
std::vector<std::string> KnownNames();

// Splits "a, b,c" at its commas and trims each element. Keeps empty elements, so that they fail the
// element's own check.
std::vector<std::string> SplitList(std::string_view text);
// Parses decimal digits; nullopt: anything else.
std::optional<uint64_t> ParseCount(std::string_view text);
// True for a Kafka topic name that may contain {tenant}.
bool IsTopicTemplate(std::string_view text);

}  // namespace tidegate
