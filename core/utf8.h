// Validates UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. Pure; any
// thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace tidegate {

// Returns the length in bytes, 1 to 4, of the well-formed sequence that `text` begins with; 0 if it
// begins with none.
size_t Utf8SequenceBytes(std::string_view text);

bool IsUtf8(std::string_view text);

// Returns the beginning of `text`, at most `max_bytes` long. Divides no well-formed sequence.
std::string_view Utf8Prefix(std::string_view text, size_t max_bytes);

}  // namespace tidegate
