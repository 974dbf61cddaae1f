#include "reader/enrich/enrichment.h"

#include <algorithm>
#include <utility>

#include "reader/enrich/enrichment_source.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

constexpr milliseconds kPatience{500};
// A bound on what strangers' tenants may cost; a place that is forgotten comes back with the next
// document for it.
constexpr size_t kMaxPlaces = 10'000;

bool HasAttachment(const Document& document, const std::string& name) {
  return std::ranges::count(document.attachments, name, &Attachment::name) > 0;
}
}  // namespace

EnrichCounters::EnrichCounters(Metrics& metrics, const std::string& source)
    : hits(metrics.AddCounter("tidegate_enrich_hits_total",
                              "Documents whose answer was known before they landed.",
                              {{"source", source}})),
      misses(metrics.AddCounter("tidegate_enrich_misses_total",
                                "Documents that were marked to be completed later.",
                                {{"source", source}})),
      requests(metrics.AddCounter("tidegate_enrich_requests_total", "Requests to the source.",
                                  {{"source", source}})),
      failures(metrics.AddCounter("tidegate_enrich_failures_total",
                                  "Requests without an answer that can be used.",
                                  {{"source", source}})),
      unasked(metrics.AddCounter("tidegate_enrich_deferred_total",
                                 "Keys that found no room to wait for a request; asked later.",
                                 {{"source", source}})),
      completed(metrics.AddCounter("tidegate_enrich_completed_total",
                                   "Documents completed after they had landed.",
                                   {{"source", source}})),
      given_up(metrics.AddCounter("tidegate_enrich_given_up_total",
                                  "Documents that waited too long and stay as they landed.",
                                  {{"source", source}})),
      circuit_open(metrics.AddGauge("tidegate_enrich_circuit_open",
                                    "1: the source is left alone, because it did not answer.",
                                    {{"source", source}})) {}

Enrichment::Enrichment(Options options, Parts parts, std::span<const Place> places)
    : options_(std::move(options)), parts_(std::move(parts)) {
  for (const EnrichSource& spec : options_.sources) {
    auto source = std::make_unique<Source>(spec, options_, parts_.metrics);
    const MutexLock lock(source->mutex);
    for (const auto& [stream, ns] : places) {
      if (spec.stream.empty() || spec.stream == stream) source->places.insert(ns);
    }
    sources_.push_back(std::move(source));
  }
}

Enrichment::~Enrichment() {
  Stop();
}

void Enrichment::Attach(std::string_view stream, Document& document) {
  for (const auto& source : sources_) {
    const EnrichSource& spec = source->spec;
    if (!spec.stream.empty() && spec.stream != stream) continue;
    if (HasAttachment(document, spec.into)) continue;
    const auto key = KeyOf(spec, document);
    if (!key) continue;
    const auto mark = std::ranges::find(document.pending, source->mark);
    const bool marked = mark != document.pending.end();
    const MutexLock lock(source->mutex);
    const BootTime now = parts_.clock.SinceBoot();
    const SourceAnswer* answer = source->cache.Find(*key, now);
    if (answer) {
      if (marked) document.pending.erase(mark);
      if (answer->value) document.attachments.push_back({spec.into, answer->value});
      source->count.hits.Increment();
      continue;
    }
    if (marked) continue;
    document.pending.push_back(source->mark);
    source->count.misses.Increment();
    source->marked = true;
    if (source->places.size() >= kMaxPlaces) source->places.clear();
    source->places.insert(document.ns);
    if (source->waiting.empty()) parts_.fetcher->Wake();
    source->Ask(*key, now, options_.max_waiting);
  }
}

void Enrichment::Source::Ask(const std::string& key, BootTime now, size_t max_waiting) {
  if (asked.contains(key)) return;
  const auto found = failed.find(key);
  if (found != failed.end() && now < found->second) return;
  if (waiting.size() >= max_waiting) return count.unasked.Increment();
  asked.insert(key);
  waiting.push_back(key);
}

void Enrichment::Start() {
  thread_ = std::thread([this] {
    while (!stopping_) Step(kPatience);
  });
}

void Enrichment::Stop() {
  stopping_ = true;
  parts_.fetcher->Wake();
  if (thread_.joinable()) thread_.join();
}

void Enrichment::Step(milliseconds patience) {
  for (const auto& source : sources_) {
    if (parts_.clock.SinceBoot() >= source->next_look) Look(*source);
    BeginRequests(*source);
  }
  TakeAnswers(parts_.fetcher->Wait(patience));
}

void Enrichment::BeginRequests(Source& source) {
  while (source.on_the_way < options_.concurrency &&
         source.breaker.Allows(parts_.clock.SinceBoot())) {
    std::string key;
    {
      const MutexLock lock(source.mutex);
      if (source.waiting.empty()) return;
      key = std::move(source.waiting.front());
      source.waiting.pop_front();
    }
    source.breaker.OnRequest();
    source.count.requests.Increment();
    ++source.on_the_way;
    const uint64_t id = ++next_request_;
    FetchRequest request{.id = id,
                         .url = source.spec.url.Expand(key),
                         .timeout = source.spec.timeout,
                         .allow_private = source.spec.allow_private,
                         .ca_file = source.spec.ca_file};
    requests_.emplace(id, std::pair{&source, std::move(key)});
    parts_.fetcher->Start(std::move(request));
  }
}

void Enrichment::TakeAnswers(std::vector<FetchResult> results) {
  for (FetchResult& result : results) {
    auto request = requests_.extract(result.id);
    if (request.empty()) continue;
    const auto& [source, key] = request.mapped();
    TakeAnswer(*source, key, std::move(result.answer));
  }
}

void Enrichment::TakeAnswer(Source& source, const std::string& key, SourceAnswer answer) {
  const BootTime now = parts_.clock.SinceBoot();
  --source.on_the_way;
  const bool failed = answer.kind == AnswerKind::kFailed;
  if (failed) {
    source.breaker.OnFailure(now);
    source.count.failures.Increment();
    Trouble(source, "a request", answer.reason);
  } else {
    source.breaker.OnSuccess();
    source.next_look = std::min(source.next_look, now + options_.busy_interval);
  }
  source.count.circuit_open.Set(source.breaker.open() ? 1 : 0);
  const MutexLock lock(source.mutex);
  source.asked.erase(key);
  if (failed) {
    if (source.failed.size() >= options_.max_waiting) source.failed.clear();
    source.failed[key] = now + options_.failed_ttl;
    return;
  }
  source.failed.erase(key);
  const bool none = answer.kind == AnswerKind::kNone;
  source.cache.Put(key, std::move(answer), now + (none ? options_.none_ttl : source.spec.ttl));
}

void Enrichment::Trouble(Source& source, std::string_view what, const std::string& reason) {
  if (const auto count = source.log_limit.Count(parts_.clock.SinceBoot())) {
    parts_.log.Warning("enrichment {}: {}: {} ({} times); documents land without", source.spec.name,
                       what, reason, *count);
  }
}

}  // namespace tidegate::reader
