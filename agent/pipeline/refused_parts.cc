#include "agent/pipeline/refused_parts.h"

#include <fmt/format.h>

#include "core/check.h"
#include "core/utf8.h"

namespace tidegate {

void RefusedParts::Add(std::string_view part, std::string_view reason) {
  if (count_++ == 0) {
    reason_ = Utf8Prefix(reason, kMaxReasonBytes);
    parts_ = part;
    return;
  }
  if (count_ == 2) parts_.insert(parts_.begin(), '[');
  parts_ += ',';
  parts_ += part;
}

std::string RefusedParts::Reason() const {
  return count_ == 1 ? reason_ : fmt::format("{}; and {} more elements", reason_, count_ - 1);
}

DeadLetter RefusedParts::TakeLetter(std::string_view input, std::string_view origin, WallTime now) {
  CHECK(count_ > 0, "a dead letter holds what was refused");
  if (count_ > 1) parts_ += ']';
  return MakeDeadLetter({input, Utf8Prefix(origin, kMaxOriginBytes), Reason(), parts_}, now);
}

}  // namespace tidegate
