// The queries that wait for a thread, and which of them may run next. One caller, or one server
// that does not answer, delays the others only within the limits below. The pool's mutex guards it.
//
// Invariants: at most Options::jobs wait, and at most Options::jobs_of_caller of one caller; what
// runs was popped, and is finished once (checked in Push() and Finished()).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/clock.h"
#include "core/http/server.h"
#include "reader/database/query_store.h"

namespace tidegate::reader {

class QueryQueue {
 public:
  struct Options {
    size_t threads = 4;
    size_t jobs = 64;
    size_t jobs_of_caller = 16;
  };
  // Who asks, and which server is asked.
  struct Origin {
    std::string caller = {};
    // Empty: the common server.
    std::string server = {};
  };
  struct Outcome {
    http::Response response = {};
    // False: the server could not be reached, so that the next query of it would wait in vain.
    bool server_answered = true;
  };
  // `left` is the time until the deadline, more than zero.
  using Job = std::function<Outcome(QueryStore& store, std::chrono::milliseconds left)>;
  struct Item {
    uint64_t id = 0;
    BootTime deadline{};
    Origin origin = {};
    Job job = {};
  };
  enum class Admission : uint8_t {
    kAccepted,
    // The queue is full.
    kFull,
    // Too many jobs of this caller wait already.
    kCallerFull,
    // The server has not answered several times: it is left alone for a while.
    kServerDown,
  };

  explicit QueryQueue(const Options& options) : options_(options) {}

  // Returns kAccepted, kFull or kCallerFull.
  Admission Push(Item item);
  // Takes the job that runs next: of those whose caller and server may use one more thread, the
  // oldest one of the caller that uses fewest. nullopt: there is none.
  std::optional<Item> Pop();
  // A job that was popped has ended.
  void Finished(const Origin& origin);
  // Drops a job that waits. Returns false if it does not.
  bool Remove(uint64_t id);
  // All servers that are suspected together use half of the threads. A server is suspected when it
  // does not answer, until it does.
  void Suspect(const std::string& server, bool suspected);

  bool empty() const { return waiting_.empty(); }
  size_t size() const { return waiting_.size(); }

 private:
  bool MayRun(const Origin& origin) const;
  size_t RunningOf(const std::string& caller) const;
  // Jobs that run on suspected servers.
  size_t RunningOnSuspects() const;
  // One thread is left for others; with a single thread there is none to leave.
  size_t AllButOne() const { return options_.threads > 1 ? options_.threads - 1 : 1; }

  const Options options_;
  std::deque<Item> waiting_;
  std::map<std::string, size_t> waiting_of_caller_;
  std::map<std::string, size_t> running_of_caller_;
  std::map<std::string, size_t> running_of_server_;
  std::set<std::string> suspects_;
};

}  // namespace tidegate::reader
