// A member of a consumer group as a step that its thread, or a test, calls again and again. One
// thread.
#pragma once

#include <chrono>

#include "core/result.h"

namespace tidegate::reader {

class Member {
 public:
  virtual ~Member() = default;
  // Makes one turn. Waits at most `patience` for a message, and for servers within their own limits
  // of time. kInvalid: this member can never continue; call Stop().
  virtual Status Step(std::chrono::milliseconds patience) = 0;
  // Completes what one attempt can complete, and leaves the group. Only the destructor may follow.
  virtual void Stop() = 0;
};

}  // namespace tidegate::reader
