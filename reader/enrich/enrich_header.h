// Reads the headers that an external source needs, from a credential. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace tidegate::reader {

inline constexpr size_t kMaxEnrichHeaders = 8;

// Reads one `Name: value` a line, of visible ASCII and blanks; blank lines are skipped. kInvalid:
// the message has the line's number and what is wrong with it, never its text.
Result<std::vector<std::string>> ParseEnrichHeaders(std::string_view text);

}  // namespace tidegate::reader
