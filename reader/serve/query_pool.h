// The threads on which the API asks the database, so that the main loop never waits for it. One
// owner thread calls all methods; each query thread has a QueryStore of its own, waits only for
// work and for the database, and ends in the destructor.
//
// The queue is bounded, and every job has a deadline. When it passes, Collect() answers 504,
// although the thread may still wait for the database, and the job's result is dropped.
//
// Invariants: Collect() answers every submitted job exactly once while the pool lives; at most
// Options::queue jobs wait for a thread (both checked in Submit()).
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
    // Each thread holds one connection to the database.
    size_t threads = 2;
    // How many jobs may wait for a thread; one more is refused.
    size_t queue = 64;
    // How long one job may take, its time in the queue included.
    std::chrono::milliseconds deadline{5'000};
  };
  // Runs on a query thread. `left` is the time until the deadline, more than zero.
  using Job = std::function<http::Response(QueryStore& store, std::chrono::milliseconds left)>;
  using NewStore = std::function<Result<std::unique_ptr<QueryStore>>()>;

  // `new_store` is called on the query threads, by one at a time, until it succeeds; a job whose
  // thread has no store is answered with the error. `clock` and `log` must outlive the pool.
  QueryPool(const Options& options, NewStore new_store, const Clock& clock, const Log& log);
  // Waits for the jobs that run. Jobs in the queue are dropped without an answer.
  ~QueryPool();

  // kUnavailable: the system has no descriptors left. REQUIRES: called once.
  Status Start();

  // True: Collect() calls `done` exactly once. False: the queue is full, and `done` is not called.
  // REQUIRES: started.
  bool Submit(Job job, http::Reply done);
  // Answers the jobs that have finished, and those past their deadline with 504. To be called when
  // fd() is readable and at NextDeadline().
  void Collect();
  // Readable while there are answers to collect.
  int fd() const { return finished_fd_.get(); }
  // The deadline of the oldest job without an answer; nullopt: there is none.
  std::optional<BootTime> NextDeadline() const;
  // How many jobs have no answer yet.
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

  // Owner thread only. Ids grow with the deadlines, so the first entry is due first.
  std::map<uint64_t, Pending> pending_;
  uint64_t next_id_ = 1;

  AnnotatedMutex mutex_;
  std::deque<Item> queue_ TIDEGATE_GUARDED_BY(mutex_);
  std::vector<std::pair<uint64_t, http::Response>> finished_ TIDEGATE_GUARDED_BY(mutex_);
  bool stopping_ TIDEGATE_GUARDED_BY(mutex_) = false;

  // Held while new_store_ runs.
  AnnotatedMutex store_mutex_;
  // An eventfd as a semaphore: the number of queued items, and of threads that shall end.
  UniqueFd work_fd_;
  // An eventfd that is readable after a job has finished, until Collect().
  UniqueFd finished_fd_;
  std::vector<std::thread> threads_;
};

}  // namespace tidegate::reader
