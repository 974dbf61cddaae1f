// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace tidegate {

// The bytes of the well-formed sequence that `text` starts with, 1 to 4; 0 if it starts with none.
size_t Utf8SequenceBytes(std::string_view text);

bool IsUtf8(std::string_view text);

}  // namespace tidegate
