// Protects a server that does not answer. After some failures in a row the breaker opens: for a
// while it allows no request, then a single one that probes the source. One thread.
#pragma once

#include "core/backoff.h"
#include "core/check.h"
#include "core/clock.h"

namespace tidegate {

class CircuitBreaker {
 public:
  struct Options {
    // So many failures in a row open it.
    int failures = 5;
    Backoff::Options pause{.initial = std::chrono::milliseconds(2'000),
                           .max = std::chrono::milliseconds(60'000)};
  };

  CircuitBreaker(Options options, uint64_t seed)
      : options_(options), backoff_(options.pause, seed) {}

  // Returns true if a request may be sent now.
  bool Allows(BootTime now) const { return !open() || (!trying_ && now >= closed_until_); }
  // Notes that a request was sent. REQUIRES: Allows().
  void OnRequest() {
    CHECK(!trying_, "one request at a time probes the source");
    trying_ = open();
  }
  void OnSuccess() {
    failures_ = 0;
    trying_ = false;
    backoff_.Reset();
  }
  void OnFailure(BootTime now) {
    trying_ = false;
    if (++failures_ >= options_.failures) closed_until_ = now + backoff_.Next();
  }
  // The request was not sent after all, so that it says nothing about the source.
  void OnDropped() { trying_ = false; }
  bool open() const { return failures_ >= options_.failures; }

 private:
  const Options options_;
  Backoff backoff_;
  int failures_ = 0;
  bool trying_ = false;
  BootTime closed_until_{};
};

}  // namespace tidegate
