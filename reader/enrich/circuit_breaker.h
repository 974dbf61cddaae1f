// Spares a source that does not answer: after some failures in a row it is left alone for a while,
// then one request tries whether it is back. One thread.
#pragma once

#include "core/backoff.h"
#include "core/clock.h"

namespace tidegate::reader {

class CircuitBreaker {
 public:
  struct Options {
    int failures = 5;  // In a row.
    Backoff::Options pause{.initial = std::chrono::milliseconds(2'000),
                           .max = std::chrono::milliseconds(60'000)};
  };

  CircuitBreaker(Options options, uint64_t seed)
      : options_(options), backoff_(options.pause, seed) {}

  // Whether a request may go now. Once open, only one at a time.
  bool Allows(BootTime now) const { return !open() || (!trying_ && now >= closed_until_); }
  void OnRequest() { trying_ = open(); }
  void OnSuccess() {
    failures_ = 0;
    trying_ = false;
    backoff_.Reset();
  }
  void OnFailure(BootTime now) {
    trying_ = false;
    if (++failures_ >= options_.failures) closed_until_ = now + backoff_.Next();
  }
  bool open() const { return failures_ >= options_.failures; }

 private:
  const Options options_;
  Backoff backoff_;
  int failures_ = 0;
  bool trying_ = false;
  BootTime closed_until_{};
};

}  // namespace tidegate::reader
