#include "reader/enrich/enrichment.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "reader/enrich/enrichment_source.h"

namespace tidegate::reader {

namespace {
using std::chrono::milliseconds;

constexpr milliseconds kPatience{500};
// A bound on what strangers' tenants may cost; a forgotten place is added again with its next
// document.
constexpr size_t kMaxPlaces = 10'000;
constexpr size_t kPage = 500;
// Pages of one search; the next search begins with the oldest document again, without those that
// were completed.
constexpr int kMaxPages = 20;
// A database that failed rests for so many times as long as that took.
constexpr int kRest = 10;
// A server's answer that nobody has taken for longer may seem to be none.
constexpr milliseconds kLate{500};

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
    const SourceAnswer* answer = source->cache.Find(key->Text(), now);
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

void Enrichment::Source::Ask(const EnrichKey& key, BootTime now, size_t max_waiting) {
  if (asked.contains(key)) return;
  const auto found = failed.find(key);
  if (found != failed.end() && now < found->second) return;
  if (waiting.size() >= max_waiting) return count.unasked.Increment();
  asked.insert(key);
  waiting.push_back(key);
  CHECK(waiting.size() <= asked.size(), "a key that waits is asked once");
}

void Enrichment::Start() {
  CHECK(!thread_.joinable() && !stopping_, "the thread is started once");
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
  driven_ = parts_.clock.SinceBoot();
  for (const auto& source : sources_) {
    if (parts_.clock.SinceBoot() >= source->next_search) CompletePending(*source);
  }
  for (const auto& source : sources_) BeginRequests(*source);
  ApplyAnswers(parts_.fetcher->Wait(patience), false);
}

void Enrichment::DriveRequests() {
  const bool late = parts_.clock.SinceBoot() - driven_ > kLate;
  ApplyAnswers(parts_.fetcher->Wait(milliseconds::zero()), late);
  for (const auto& source : sources_) BeginRequests(*source);
  driven_ = parts_.clock.SinceBoot();
}

void Enrichment::CompletePending(Source& source) {
  std::set<Namespace> places;
  bool rest = false;
  {
    const MutexLock lock(source.mutex);
    places = source.places;
    rest = std::exchange(source.marked, false);
    const BootTime now = parts_.clock.SinceBoot();
    std::erase_if(source.failed, [&](const auto& entry) { return now >= entry.second; });
  }
  BootTime next = source.next_search = BootTime::max();
  for (const Namespace& ns : places) {
    if (stopping_) return;
    const BootTime began = parts_.clock.SinceBoot();
    if (const BootTime until = RestsUntil(ns.database); began < until) {
      next = std::min(next, until);
      continue;
    }
    const auto done = CompleteIn(source, ns);
    if (!done.ok()) {
      LogTrouble(source, "documents of " + ns.database, done.error().message);
      LetRest(ns.database, began);
      next = std::min(next, RestsUntil(ns.database));
    } else if (!*done) {
      rest = true;
    }
    DriveRequests();
  }
  const BootTime now = parts_.clock.SinceBoot();
  // Answers that came meanwhile may have set it.
  next = std::min(rest ? now : next, source.next_search);
  source.next_search =
      std::clamp<BootTime>(next, now + options_.busy_interval, now + options_.idle_interval);
}

void Enrichment::LetRest(const std::string& database, BootTime began) {
  const BootTime now = parts_.clock.SinceBoot();
  std::erase_if(resting_, [&](const auto& entry) { return now >= entry.second; });
  resting_[database] = now + std::max<BootTime>((now - began) * kRest, options_.busy_interval);
}

BootTime Enrichment::RestsUntil(const std::string& database) const {
  const auto resting = resting_.find(database);
  return resting == resting_.end() ? BootTime() : resting->second;
}

Result<bool> Enrichment::CompleteIn(Source& source, const Namespace& ns) {
  if (!source.indexed.contains(ns)) {
    if (Status status = parts_.completions->EnsureIndex(ns, source.mark); !status.ok())
      return status.error();
    source.indexed.insert(ns);
  }
  PendingQuery query{.ns = ns, .mark = source.mark, .key = source.spec.key, .limit = kPage};
  bool all = true;
  for (int page = 0; page < kMaxPages && !stopping_; ++page) {
    const auto pending = parts_.completions->Find(query);
    if (!pending.ok()) return pending.error();
    const auto completed = CompletePage(source, ns, *pending);
    if (!completed.ok()) return completed.error();
    if (!*completed) all = false;
    if (pending->size() < kPage) return all;
    // Completed documents no longer match: the same query returns those that follow.
    if (*completed) continue;
    // The next page may repeat some of this one's end. A whole page of one moment would repeat
    // forever, so the query continues after that moment.
    const WallTime last = pending->back().since;
    query.from = last == pending->front().since ? last + std::chrono::milliseconds(1) : last;
  }
  return false;
}

Result<bool> Enrichment::CompletePage(Source& source, const Namespace& ns,
                                      const std::vector<PendingDocument>& pending) {
  std::vector<Completion> completions;
  size_t given_up = 0;
  {
    const MutexLock lock(source.mutex);
    for (const PendingDocument& document : pending) {
      const auto key = KeyOf(source.spec, document.tenant, document.key);
      const SourceAnswer* answer =
          key ? source.cache.Find(key->Text(), parts_.clock.SinceBoot()) : nullptr;
      const bool too_old = parts_.clock.Now() - document.since > options_.give_up;
      if (answer) {
        completions.push_back({document.id, answer->value});
      } else if (too_old || !key) {
        completions.push_back({document.id, nullptr});
        ++given_up;
      } else {
        source.Ask(*key, parts_.clock.SinceBoot(), options_.max_waiting);
      }
    }
  }
  const bool all = completions.size() == pending.size();
  if (completions.empty()) return all;
  const auto changed = parts_.completions->Complete(ns, source.mark, source.spec.into, completions);
  if (!changed.ok()) return changed.error();
  source.count.given_up.Increment(static_cast<double>(given_up));
  source.count.completed.Increment(static_cast<double>(*changed - std::min(*changed, given_up)));
  if (given_up > 0)
    LogTrouble(source, "giving up", fmt::format("{} documents waited for too long", given_up));
  return all;
}

void Enrichment::BeginRequests(Source& source) {
  while (source.on_the_way < options_.concurrency &&
         source.breaker.Allows(parts_.clock.SinceBoot())) {
    EnrichKey key;
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
                         .ca_file = source.spec.ca_file,
                         .headers = source.spec.headers};
    CHECK(source.on_the_way <= options_.concurrency, "requests on their way are bounded");
    requests_.emplace(id, std::pair{&source, std::move(key)});
    parts_.fetcher->Start(std::move(request));
  }
}

void Enrichment::ApplyAnswers(std::vector<FetchResult> results, bool late) {
  for (FetchResult& result : results) {
    auto request = requests_.extract(result.id);
    if (request.empty()) continue;
    const auto& [source, key] = request.mapped();
    if (late && result.answer.kind == AnswerKind::kFailed) {
      DropRequest(*source, key);
    } else {
      ApplyAnswer(*source, key, std::move(result.answer));
    }
  }
}

void Enrichment::DropRequest(Source& source, const EnrichKey& key) {
  CHECK(source.on_the_way > 0, "an answer belongs to a request on its way");
  --source.on_the_way;
  source.breaker.OnDropped();
  source.next_search =
      std::min(source.next_search, parts_.clock.SinceBoot() + options_.busy_interval);
  const MutexLock lock(source.mutex);
  const size_t asked = source.asked.erase(key);
  CHECK(asked == 1, "an answered key was asked");
}

void Enrichment::ApplyAnswer(Source& source, const EnrichKey& key, SourceAnswer answer) {
  const BootTime now = parts_.clock.SinceBoot();
  CHECK(source.on_the_way > 0, "an answer belongs to a request on its way");
  --source.on_the_way;
  const bool failed = answer.kind == AnswerKind::kFailed;
  if (failed) {
    source.breaker.OnFailure(now);
    source.count.failures.Increment();
    LogTrouble(source, "a request", answer.reason);
  } else {
    source.breaker.OnSuccess();
    source.next_search = std::min(source.next_search, now + options_.busy_interval);
  }
  source.count.circuit_open.Set(source.breaker.open() ? 1 : 0);
  const MutexLock lock(source.mutex);
  const size_t asked = source.asked.erase(key);
  CHECK(asked == 1, "an answered key was asked");
  if (failed) {
    if (source.failed.size() >= options_.max_waiting) source.failed.clear();
    source.failed[key] = now + options_.failed_ttl;
    return;
  }
  source.failed.erase(key);
  const bool none = answer.kind == AnswerKind::kNone;
  source.cache.Put(key.Text(), std::move(answer),
                   now + (none ? options_.none_ttl : source.spec.ttl));
}

void Enrichment::LogTrouble(Source& source, std::string_view what, const std::string& reason) {
  if (const auto count = source.log_limit.Count(parts_.clock.SinceBoot())) {
    parts_.log.Warning("enrichment {}: {}: {} ({} times); documents land without", source.spec.name,
                       what, reason, *count);
  }
}

}  // namespace tidegate::reader
