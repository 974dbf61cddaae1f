// The threads on which the API asks the database, so that the main loop never waits for it. One
// owner thread calls all methods; each query thread has a QueryStore of its own, waits only for
// work and for the database, and ends in the destructor.
//
// The queue is bounded, also for each caller (query_queue.h), and every job has a deadline. When it
// passes, Collect() answers 504, although the thread may still wait for the database, and the job's
// result is dropped. A server that does not answer several times in a row is left alone for a
// while: its jobs are refused at once.
//
// Invariant: Collect() answers every accepted job exactly once while the pool lives (checked in
// Submit()).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/annotated_mutex.h"
#include "core/circuit_breaker.h"
#include "core/clock.h"
#include "core/http/server.h"
#include "core/log.h"
#include "core/unique_fd.h"
#include "reader/database/query_store.h"
#include "reader/serve/query_queue.h"

namespace tidegate::reader {

class QueryPool {
 public:
  struct Options {
    // Each thread holds one connection to the database. With a single one a server that does not
    // answer delays the queries of all others.
    size_t threads = 4;
    // How many jobs may wait for a thread; one more is refused.
    size_t queue = 64;
    // The same for each caller.
    size_t queue_of_caller = 16;
    // How long one job may take, its time in the queue included.
    std::chrono::milliseconds deadline{5'000};
    CircuitBreaker::Options breaker{.failures = 3,
                                    .pause = {.initial = std::chrono::milliseconds(1'000),
                                              .max = std::chrono::milliseconds(10'000)}};
  };
  using Origin = QueryQueue::Origin;
  using Outcome = QueryQueue::Outcome;
  using Admission = QueryQueue::Admission;
  // Runs on a query thread.
  using Job = QueryQueue::Job;
  using NewStore = std::function<Result<std::unique_ptr<QueryStore>>()>;

  // `new_store` is called on the query threads, by one at a time, until it succeeds; a job whose
  // thread has no store is answered with the error. `clock` and `log` must outlive the pool.
  QueryPool(const Options& options, NewStore new_store, const Clock& clock, const Log& log);
  // Waits for the jobs that run. Jobs in the queue are dropped without an answer.
  ~QueryPool();

  // kUnavailable: the system has no descriptors left. REQUIRES: called once.
  Status Start();

  // kAccepted: Collect() calls `done` exactly once. Else `done` is not called. REQUIRES: started.
  Admission Submit(Origin origin, Job job, http::Reply done);
  // Answers the jobs that have finished, and those past their deadline with 504. To be called when
  // fd() is readable and at NextDeadline().
  void Collect();
  // Readable while there are answers to collect.
  int fd() const { return finished_fd_.get(); }
  // The deadline of the oldest job without an answer; nullopt: there is none.
  std::optional<BootTime> NextDeadline() const;
  // How many jobs have no answer yet.
  size_t under_way() const { return pending_.size(); }
  // How many servers are left alone at present.
  size_t servers_down() const;

 private:
  struct Pending {
    BootTime deadline{};
    Origin origin;
    http::Reply done;
  };
  struct Finished {
    uint64_t id = 0;
    Origin origin = {};
    Outcome outcome = {};
    // False: the deadline had passed before the job could run.
    bool ran = true;
  };

  void Run();
  // Waits for a job; nullopt: the thread is to end.
  std::optional<QueryQueue::Item> NextItem();
  Finished Execute(const QueryQueue::Item& item, std::unique_ptr<QueryStore>& store);
  CircuitBreaker& BreakerOf(const std::string& server);
  // Notes whether the job's server has answered.
  void Account(const Finished& finished);
  void AnswerLate();

  const Options options_;
  const NewStore new_store_;
  const Clock& clock_;
  const Log& log_;

  // Owner thread only. Ids grow with the deadlines, so the first entry is due first.
  std::map<uint64_t, Pending> pending_;
  uint64_t next_id_ = 1;
  // By server. Bounded by the servers that the configuration names.
  std::map<std::string, CircuitBreaker> breakers_;
  LogLimit server_log_;

  AnnotatedMutex mutex_;
  QueryQueue queue_ TIDEGATE_GUARDED_BY(mutex_);
  std::vector<Finished> finished_ TIDEGATE_GUARDED_BY(mutex_);
  // Wake-ups that found no job that may run; they are repeated when one has finished.
  uint64_t held_back_ TIDEGATE_GUARDED_BY(mutex_) = 0;
  bool stopping_ TIDEGATE_GUARDED_BY(mutex_) = false;

  // Held while new_store_ runs.
  AnnotatedMutex store_mutex_;
  // An eventfd as a semaphore: wakes one thread for each job, and for each thread that shall end.
  UniqueFd work_fd_;
  // An eventfd that is readable after a job has finished, until Collect().
  UniqueFd finished_fd_;
  std::vector<std::thread> threads_;
};

}  // namespace tidegate::reader
