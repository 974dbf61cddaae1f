// "Did you mean ...?" for names that people mistype. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate {

// The candidate that takes the fewest edits (insert, delete, replace, swap of neighbours) to become
// `name`, case ignored; the first of equals. nullopt if even that one is further away than a third
// of the name's length.
std::optional<std::string> Nearest(std::string_view name,
                                   const std::vector<std::string>& candidates);

}  // namespace tidegate
