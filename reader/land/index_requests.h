// The collections whose indexes are to be made, on their way from the workers to the upkeep. Each
// is requested once. Any thread; a lock is held only to copy.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <semaphore>
#include <set>
#include <utility>

#include "core/annotated_mutex.h"
#include "reader/database/namespace.h"
#include "reader/decode/stream.h"

namespace tidegate::reader {

class IndexRequests {
 public:
  using Request = std::pair<Namespace, const Stream*>;

  // More collections than that are forgotten; requesting one again only repeats a harmless command.
  explicit IndexRequests(size_t known = 20'000) : known_(known) {}

  // `stream` must outlive the requests.
  void Add(const Namespace& ns, const Stream& stream);
  // Returns the oldest request, for which it waits at most `patience`; no value if none came.
  std::optional<Request> Take(std::chrono::milliseconds patience);

 private:
  const size_t known_;
  // Counts the requests that wait; those that were forgotten stay counted.
  std::counting_semaphore<> added_{0};
  AnnotatedMutex mutex_;
  std::set<Namespace> requested_ TIDEGATE_GUARDED_BY(mutex_);
  std::deque<Request> waiting_ TIDEGATE_GUARDED_BY(mutex_);
};

}  // namespace tidegate::reader
