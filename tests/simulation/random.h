// The one source of chance of a simulated world: the same seed gives the same numbers on every
// machine (SplitMix64, Steele, Lea and Flood 2014).
#pragma once

#include <cstdint>

#include "core/check.h"

namespace tidegate::simulation {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // Returns a number below `n`. REQUIRES: n is not 0.
  uint64_t Below(uint64_t n) {
    CHECK(n > 0, "there is a number below n");
    return Next() % n;
  }
  // Returns a number from `low` to `high`, both included. REQUIRES: low <= high.
  uint64_t Between(uint64_t low, uint64_t high) { return low + Below(high - low + 1); }
  bool Chance(unsigned in_a_thousand) { return Below(1'000) < in_a_thousand; }
  bool Coin() { return Chance(500); }

 private:
  uint64_t state_;
};

}  // namespace tidegate::simulation
