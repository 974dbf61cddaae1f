// Gathers what is refused of one message into one dead letter. So origin and reason are kept once,
// however many elements of an array are refused, and a bad message costs its own bytes and no more.
// Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "store/store.h"

namespace tidegate {

// Longest origin and reason of a dead letter: what is longer is cut.
inline constexpr size_t kMaxOriginBytes = 256;
inline constexpr size_t kMaxReasonBytes = 512;

class RefusedParts {
 public:
  // `part` is the whole message, or one element of its array as JSON.
  void Add(std::string_view part, std::string_view reason);
  size_t count() const { return count_; }
  // The first part's reason, and how many more there are.
  std::string Reason() const;
  // Returns the letter: the part, or an array of all parts if there are several, cut as
  // MakeDeadLetter cuts. REQUIRES: count() is not 0; called once.
  DeadLetter TakeLetter(std::string_view input, std::string_view origin, WallTime now);

 private:
  size_t count_ = 0;
  std::string reason_;
  std::string parts_;
};

}  // namespace tidegate
