// The enrichment's state for one source. Private to this folder. The workers and the enrichment's
// thread share what the mutex guards; everything else belongs to the thread, except the counters,
// which any thread may use.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>

#include "reader/enrich/enrichment.h"

namespace tidegate::reader {

struct EnrichCounters {
  EnrichCounters(Metrics& metrics, const std::string& source);

  Metrics::Counter& hits;
  Metrics::Counter& misses;
  Metrics::Counter& requests;
  Metrics::Counter& failures;
  Metrics::Counter& unasked;
  Metrics::Counter& completed;
  Metrics::Counter& given_up;
  Metrics::Gauge& circuit_open;
};

struct Enrichment::Source {
  Source(EnrichSource source, const Options& options, Metrics& metrics)
      : spec(std::move(source)),
        mark(spec.mark()),
        cache(options.cache),
        breaker(options.breaker, std::hash<std::string>()(spec.name)),
        count(metrics, spec.name) {}

  // Queues the key for a request, unless it is asked already, has failed a moment ago, or finds no
  // room.
  void Ask(const EnrichKey& key, BootTime now, size_t max_waiting) TIDEGATE_REQUIRES(mutex);

  const EnrichSource spec;
  const std::string mark;

  AnnotatedMutex mutex;
  AnswerCache cache TIDEGATE_GUARDED_BY(mutex);
  std::deque<EnrichKey> waiting TIDEGATE_GUARDED_BY(mutex);
  // The keys that wait or are on their way.
  std::set<EnrichKey> asked TIDEGATE_GUARDED_BY(mutex);
  // The keys that failed, and when each may be asked again.
  std::map<EnrichKey, BootTime> failed TIDEGATE_GUARDED_BY(mutex);
  // The collections that may hold documents that wait.
  std::set<Namespace> places TIDEGATE_GUARDED_BY(mutex);
  // A document was marked since the last search.
  bool marked TIDEGATE_GUARDED_BY(mutex) = false;

  CircuitBreaker breaker;
  size_t on_the_way = 0;
  std::set<Namespace> indexed = {};
  BootTime next_search{};
  LogLimit log_limit = LogLimit();
  EnrichCounters count;
};

}  // namespace tidegate::reader
