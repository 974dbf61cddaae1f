// The strict pass over a text before cJSON sees it: everything that RFC 8259 forbids or that cJSON
// would change in silence is refused here. One pass, no recursion deeper than the limit. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "core/json/json.h"
#include "core/result.h"

namespace tidegate::json {

// cJSON itself gives up at 1,000; half of that keeps recursion over a tree far from the end of any
// stack.
inline constexpr size_t kDeepest = 500;

// The number tokens in document order, as views into `text`. kRejected: what is wrong and at which
// byte offset.
Result<std::vector<std::string_view>> Scan(std::string_view text, const Limits& limits);

}  // namespace tidegate::json
