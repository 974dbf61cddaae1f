// An input's retained messages (those that a broker had kept when they arrived) count as those of
// an input of their own, whose name ends in this. So a batch and a snapshot tell them apart, and
// versions without this can read both. Pure.
#pragma once

#include <string_view>

namespace tidegate {

// No input is configured under such a name, because of the space.
inline constexpr std::string_view kRetainedSuffix = " retained";

}  // namespace tidegate
