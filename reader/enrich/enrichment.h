// Gives documents what an external HTTP source knows about one of their members (a vehicle's model
// by its id). What is in the cache goes into the document before it lands. What is not is marked,
// lands at once, and is completed by this object's thread when the source has answered: the marks
// are in the database, so that they are found again after a restart, by any reader.
//
// Attach() may be called by several workers. Step() is the thread's, and tests call it by hand.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/annotated_mutex.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/metrics.h"
#include "reader/database/completions.h"
#include "reader/enrich/answer_cache.h"
#include "reader/enrich/circuit_breaker.h"
#include "reader/enrich/enrich_source.h"
#include "reader/enrich/fetcher.h"

namespace tidegate::reader {

class Enrichment {
 public:
  struct Options {
    std::vector<EnrichSource> sources = {};
    AnswerCache::Options cache = {};  // For each source.
    CircuitBreaker::Options breaker = {};
    // Requests on their way, for each source. More are faster, and harder on the source.
    size_t concurrency = 8;
    // Keys that wait for a request, for each source; what has no room is found in the database.
    size_t max_waiting = 10'000;
    std::chrono::milliseconds none_ttl{60'000};    // For how long "nothing" is good.
    std::chrono::milliseconds failed_ttl{10'000};  // A key that failed is not asked again before.
    std::chrono::milliseconds give_up{std::chrono::hours(24)};  // A document that waits for longer.
    // Between looks for documents that wait: after one that left some, and otherwise.
    std::chrono::milliseconds busy_interval{1'000};
    std::chrono::milliseconds idle_interval{30'000};
  };
  struct Parts {
    std::unique_ptr<Fetcher> fetcher;
    std::unique_ptr<Completions> completions;
    const Clock& clock;
    const Log& log;
    Metrics& metrics;
  };
  // A stream's name and where its documents go, as far as that is known before any message comes.
  using Place = std::pair<std::string, Namespace>;

  Enrichment(Options options, Parts parts, std::span<const Place> places);
  ~Enrichment();

  // Adds what is known, marks what is not, and asks for it. Again with the same document: what has
  // become known since. Never waits.
  void Attach(std::string_view stream, Document& document);

  // Starts and ends the thread. Start at most once.
  void Start();
  void Stop();

  // Completes what it can, begins requests, and takes answers, waiting for them at most `patience`.
  void Step(std::chrono::milliseconds patience);

 private:
  struct Source;

  void Look(Source& source);
  // Whether none is left that waits.
  bool LookIn(Source& source, const Namespace& ns);
  // Of one page of documents that wait: whether all were completed.
  bool CompletePage(Source& source, const Namespace& ns,
                    const std::vector<PendingDocument>& pending);
  void BeginRequests(Source& source);
  void TakeAnswers(std::vector<FetchResult> results);
  void TakeAnswer(Source& source, const std::string& key, SourceAnswer answer);
  void Trouble(Source& source, std::string_view what, const std::string& reason);

  const Options options_;
  Parts parts_;
  std::vector<std::unique_ptr<Source>> sources_;
  uint64_t next_request_ = 0;
  std::map<uint64_t, std::pair<Source*, std::string>> requests_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tidegate::reader
