#include "reader/land/index_requests.h"

namespace tidegate::reader {

void IndexRequests::Add(const Namespace& ns, const Stream& stream) {
  const MutexLock lock(mutex_);
  if (requested_.contains(ns)) return;
  if (requested_.size() >= known_) {
    requested_.clear();
    waiting_.clear();
  }
  requested_.insert(ns);
  waiting_.emplace_back(ns, &stream);
  added_.release();
}

std::optional<IndexRequests::Request> IndexRequests::Take(std::chrono::milliseconds patience) {
  if (!added_.try_acquire_for(patience)) return std::nullopt;
  const MutexLock lock(mutex_);
  if (waiting_.empty()) return std::nullopt;
  Request request = std::move(waiting_.front());
  waiting_.pop_front();
  return request;
}

}  // namespace tidegate::reader
