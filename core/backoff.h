// How long to wait before the next attempt: exponential with full jitter, so that a fleet does not
// return in step. Reads no clock. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace tidegate {

class Backoff {
 public:
  struct Options {
    std::chrono::milliseconds initial{500};  // Upper bound of the first wait.
    std::chrono::milliseconds max{
        60'000};  // Upper bound of every wait; a broker that is back is seen this late at worst.
  };

  Backoff(Options options, uint64_t seed) : options_(options), random_(seed) {}

  // Between half of the current bound and the bound; the bound doubles with each call up to
  // Options::max.
  std::chrono::milliseconds Next();
  // After a success: the next wait is short again.
  void Reset() { bound_ = std::chrono::milliseconds::zero(); }

 private:
  Options options_;
  std::chrono::milliseconds bound_{0};
  std::mt19937_64 random_;
};

}  // namespace tidegate
