// How often each of many may ask: a token bucket for each name, the names bounded in number. One
// thread.
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
    double per_second = 20;
    double burst = 100;        // After a while of silence.
    size_t max_names = 4'096;  // The one that asked longest ago is forgotten, and may start anew.
  };

  explicit RateLimit(const Options& options) : options_(options) {}

  // nullopt: it may. Else how long it has to wait.
  std::optional<std::chrono::seconds> Take(const std::string& name, BootTime now);

 private:
  struct Bucket {
    std::string name;
    double tokens = 0;
    BootTime filled{};
  };

  const Options options_;
  std::list<Bucket> buckets_;  // Who asked last is first.
  std::unordered_map<std::string, std::list<Bucket>::iterator> by_name_;
};

}  // namespace tidegate::reader
