#include "reader/serve/rate_limit.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace tidegate::reader {

RateLimit::RateLimit(const Options& options) : options_(options) {
  CHECK(options.per_second > 0 && options.burst > 0 && options.max_names > 0,
        "a rate limit lets something pass");
}

std::optional<std::chrono::seconds> RateLimit::Take(const std::string& name, BootTime now) {
  auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    if (buckets_.size() >= options_.max_names) {
      by_name_.erase(buckets_.back().name);
      buckets_.pop_back();
    }
    buckets_.push_front({name, options_.burst, now});
    found = by_name_.emplace(name, buckets_.begin()).first;
  } else {
    buckets_.splice(buckets_.begin(), buckets_, found->second);
  }
  CHECK(buckets_.size() == by_name_.size() && buckets_.size() <= options_.max_names,
        "each name has one bucket, and their number is bounded");
  Bucket& bucket = *found->second;
  const double seconds = std::chrono::duration<double>(now - bucket.filled).count();
  bucket.tokens = std::min(options_.burst, bucket.tokens + seconds * options_.per_second);
  bucket.filled = now;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return std::nullopt;
  }
  const double wait = (1 - bucket.tokens) / options_.per_second;
  return std::chrono::seconds(static_cast<int64_t>(std::ceil(wait)));
}

}  // namespace tidegate::reader
