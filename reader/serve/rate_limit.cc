#include "reader/serve/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace tidegate::reader {

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
