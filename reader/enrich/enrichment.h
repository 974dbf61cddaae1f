// Adds to documents what an external HTTP source knows about one of their members (a vehicle's
// model by its id). A cached answer is added before the document lands. A document without one is
// marked and lands at once; this object's thread completes it when the source has answered. The
// marks are in the database, so any reader finds them again after a restart. Known loss: a document
// that waits for longer than `give_up` stays as it landed; it is counted.
//
// A database that fails is left alone for ten times as long as that took, so that it delays the
// documents of others by a tenth. Requests that could not be driven meanwhile say nothing about
// their source.
//
// Any thread may call Attach(), several at once. Step() belongs to the object's thread, or to a
// test that did not call Start().
//
// Invariants, each with the check that guards it (enrichment.cc):
// - Each key is asked once at a time: the asked keys are those that wait and those on their way
//   (Ask, ApplyAnswer).
// - Waiting keys and requests on their way are bounded by the options (Ask, BeginRequests).
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
#include "core/circuit_breaker.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/metrics.h"
#include "reader/database/completions.h"
#include "reader/enrich/answer_cache.h"
#include "reader/enrich/enrich_source.h"
#include "reader/enrich/fetcher.h"

namespace tidegate::reader {

class Enrichment {
 public:
  struct Options {
    std::vector<EnrichSource> sources = {};
    // For each source.
    AnswerCache::Options cache = {};
    CircuitBreaker::Options breaker = {};
    // Requests on their way, for each source. More are faster and a heavier load for the source.
    size_t concurrency = 8;
    // Keys that wait for a request, for each source. A key without room is found again in the
    // database.
    size_t max_waiting = 10'000;
    // For how long the answer "nothing" is valid.
    std::chrono::milliseconds none_ttl{60'000};
    // For how long a key that failed is not asked again.
    std::chrono::milliseconds failed_ttl{10'000};
    // After this time a document no longer waits.
    std::chrono::milliseconds give_up{std::chrono::hours(24)};
    // Between two searches for documents that wait: after one that left some, and otherwise.
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
  // A stream's name and a collection in which its documents land.
  using Place = std::pair<std::string, Namespace>;

  // `places` are those that are known before any message comes. Clock, log and metrics must outlive
  // the object.
  Enrichment(Options options, Parts parts, std::span<const Place> places);
  ~Enrichment();

  // Adds the cached answers to a document of that stream, marks it for the others, and queues their
  // keys. A second call with the same document adds what has been answered since. Never waits for a
  // server.
  void Attach(std::string_view stream, Document& document);

  // Starts and ends the thread. Stop() may be called twice. REQUIRES: Start() is called at most
  // once.
  void Start();
  void Stop();

  // Completes documents, begins requests and applies answers, for which it waits at most
  // `patience`.
  void Step(std::chrono::milliseconds patience);

 private:
  struct Source;

  // Searches the source's collections for documents that wait, and completes them.
  void CompletePending(Source& source);
  // Returns true if no document of the collection is left that waits. Errors are the database's.
  Result<bool> CompleteIn(Source& source, const Namespace& ns);
  // Returns true if all documents of the page were completed. Errors are the database's.
  Result<bool> CompletePage(Source& source, const Namespace& ns,
                            const std::vector<PendingDocument>& pending);
  // The database has failed in a search that began then.
  void LetRest(const std::string& database, BootTime began);
  // Until then the database is left alone; zero: it has not failed.
  BootTime RestsUntil(const std::string& database) const;
  // Has requests go on between two databases.
  void DriveRequests();
  void BeginRequests(Source& source);
  // `late`: the requests were not driven for a while, and may have failed for that alone.
  void ApplyAnswers(std::vector<FetchResult> results, bool late);
  void ApplyAnswer(Source& source, const EnrichKey& key, SourceAnswer answer);
  // Its document waits, and the next search asks again.
  void DropRequest(Source& source, const EnrichKey& key);
  void LogTrouble(Source& source, std::string_view what, const std::string& reason);

  const Options options_;
  Parts parts_;
  std::vector<std::unique_ptr<Source>> sources_;
  // Databases that failed, and when each is searched again.
  std::map<std::string, BootTime> resting_;
  // When the requests were driven last.
  BootTime driven_{};
  uint64_t next_request_ = 0;
  std::map<uint64_t, std::pair<Source*, EnrichKey>> requests_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace tidegate::reader
