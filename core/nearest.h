// Finds the name that a person probably meant, for "did you mean ...?". Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate {

// Returns the candidate that the fewest edits (insert, delete, replace, swap of neighbours) turn
// into `name`, ignoring case; the first of equals. nullopt if that needs more edits than a third of
// the name's length (at least one is allowed). Names over 128 bytes are nobody's neighbour.
std::optional<std::string> Nearest(std::string_view name,
                                   const std::vector<std::string>& candidates);

}  // namespace tidegate
