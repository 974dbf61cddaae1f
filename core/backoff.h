// Computes how long to wait before the next attempt: exponential, with jitter, so that the gateways
// of a fleet do not reconnect in step. Does not wait itself and reads no clock. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace tidegate {

class Backoff {
 public:
  struct Options {
    // Upper bound of the first wait. REQUIRES: above zero, as `max`.
    std::chrono::milliseconds initial{500};
    // Upper bound of every wait: a server that is reachable again is noticed this late at worst.
    std::chrono::milliseconds max{60'000};
  };

  // Two processes with different seeds wait differently.
  Backoff(Options options, uint64_t seed);

  // Returns a random wait between half of the current bound and the bound. Each call doubles the
  // bound, up to Options::max.
  std::chrono::milliseconds Next();
  // Sets the bound of the next wait to Options::initial. Called after a success.
  void Reset() { bound_ = std::chrono::milliseconds::zero(); }

 private:
  Options options_;
  std::chrono::milliseconds bound_{0};  // Of the last wait; 0 before the first.
  std::mt19937_64 random_;
};

}  // namespace tidegate
