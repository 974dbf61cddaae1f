// Limits how often each caller may ask: a token bucket for each name. Known loss: beyond max_names
// the name that asked longest ago is forgotten and starts anew with a full bucket. One thread.
//
// Invariant: list and index hold the same names, at most max_names (checked in Take()).
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/clock.h"

namespace tidegate::reader {

class RateLimit {
 public:
  struct Options {
    // Requests a second in the long run.
    double per_second = 20;
    // Requests at once after a silence.
    double burst = 100;
    size_t max_names = 4'096;
  };

  // REQUIRES: no option is zero.
  explicit RateLimit(const Options& options);

  // Takes one token from the bucket of `name`. nullopt: the request may pass; else how long the
  // caller should wait, rounded up.
  std::optional<std::chrono::seconds> Take(const std::string& name, BootTime now);

 private:
  struct Bucket {
    std::string name;
    double tokens = 0;
    BootTime filled{};
  };

  const Options options_;
  // The name that asked last is first.
  std::list<Bucket> buckets_;
  std::unordered_map<std::string, std::list<Bucket>::iterator> by_name_;
};

}  // namespace tidegate::reader
