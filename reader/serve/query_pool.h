// The threads on which the API asks the database, so that the main loop never waits for it. The
// owner's thread submits and collects; each query thread has a store of its own.
//
// The queue is bounded, and every job has a deadline: when it passes, Collect() reports the job as
// late although its thread may still wait for the database, and drops what comes of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/annotated_mutex.h"
#include "core/clock.h"
#include "core/http/server.h"
#include "core/log.h"
#include "core/unique_fd.h"
#include "reader/database/query_store.h"

namespace tidegate::reader {

class QueryPool {
 public:
  struct Options {
    size_t threads = 2;  // Each holds one connection to the database.
    size_t queue = 64;   // Jobs that wait for a thread, the next one is refused.
    std::chrono::milliseconds deadline{5'000};  // Of one job, its waiting included.
  };
  // On a query thread. `left` is the time until the deadline.
  using Job = std::function<http::Response(QueryStore& store, std::chrono::milliseconds left)>;
  using NewStore = std::function<Result<std::unique_ptr<QueryStore>>()>;

  // `new_store` is called on the query threads, one at a time.
  QueryPool(const Options& options, NewStore new_store, const Clock& clock, const Log& log);
  // Waits for the jobs that run; those that wait are dropped.
  ~QueryPool();

  Status Start();

  // False: the queue is full, and `done` is forgotten. Else it is called once, from Collect.
  bool Submit(Job job, http::Reply done);
  // Hands out what is finished, and 504 for what is late.
  void Collect();
  // Readable when there is something to collect.
  int fd() const { return finished_fd_.get(); }
  // When the next job becomes late; nullopt: nothing is under way.
  std::optional<BootTime> NextDeadline() const;
  size_t under_way() const { return pending_.size(); }

 private:
  struct Item {
    uint64_t id = 0;
    BootTime deadline{};
    Job job;
  };
  struct Pending {
    BootTime deadline{};
    http::Reply done;
  };

  void Run();
  std::optional<Item> NextItem();
  http::Response Execute(const Item& item, std::unique_ptr<QueryStore>& store);

  const Options options_;
  const NewStore new_store_;
  const Clock& clock_;
  const Log& log_;

  // The owner's thread only.
  std::map<uint64_t, Pending> pending_;  // In the order of their deadlines.
  uint64_t next_id_ = 1;

  AnnotatedMutex mutex_;
  std::deque<Item> queue_ TIDEGATE_GUARDED_BY(mutex_);
  std::vector<std::pair<uint64_t, http::Response>> finished_ TIDEGATE_GUARDED_BY(mutex_);
  bool stopping_ TIDEGATE_GUARDED_BY(mutex_) = false;

  AnnotatedMutex store_mutex_;
  UniqueFd work_fd_;      // A semaphore: how many items wait, or shall end.
  UniqueFd finished_fd_;  // An eventfd: something has finished.
  std::vector<std::thread> threads_;
};

}  // namespace tidegate::reader
