// A member of a consumer group as a step that its thread, or a test, calls again and again.
#pragma once

#include <chrono>

#include "core/result.h"

namespace tidegate::reader {

class Member {
 public:
  virtual ~Member() = default;
  // One turn; waits at most `patience` for a message, and for servers as long as their limits of
  // time allow. kInvalid: this member can never go on.
  virtual Status Step(std::chrono::milliseconds patience) = 0;
  // Ends what can be ended with one attempt and leaves the group. Nothing but the destructor may
  // follow.
  virtual void Stop() = 0;
};

}  // namespace tidegate::reader
