// The part of the enrichment that completes documents which have landed already.
#include <algorithm>
#include <utility>

#include "reader/enrich/enrichment_source.h"

namespace tidegate::reader {

namespace {
constexpr size_t kPage = 500;
// Of one look; the next one goes on from the oldest again, with these completed.
constexpr int kMaxPages = 20;
}  // namespace

void Enrichment::Look(Source& source) {
  std::set<Namespace> places;
  bool marked = false;
  {
    const MutexLock lock(source.mutex);
    places = source.places;
    marked = std::exchange(source.marked, false);
    const BootTime now = parts_.clock.SinceBoot();
    std::erase_if(source.failed, [&](const auto& entry) { return now >= entry.second; });
  }
  bool rest = marked;
  for (const Namespace& ns : places) {
    if (stopping_) return;
    if (!LookIn(source, ns)) rest = true;
  }
  source.next_look =
      parts_.clock.SinceBoot() + (rest ? options_.busy_interval : options_.idle_interval);
}

bool Enrichment::LookIn(Source& source, const Namespace& ns) {
  if (!source.indexed.contains(ns)) {
    if (Status status = parts_.completions->EnsureIndex(ns, source.mark); !status.ok())
      return Trouble(source, "the index of its marks", status.error().message), false;
    source.indexed.insert(ns);
  }
  PendingQuery query{.ns = ns, .mark = source.mark, .key = source.spec.key, .limit = kPage};
  bool all = true;
  for (int page = 0; page < kMaxPages && !stopping_; ++page) {
    const auto pending = parts_.completions->Find(query);
    if (!pending.ok())
      return Trouble(source, "documents that wait", pending.error().message), false;
    const bool completed = CompletePage(source, ns, *pending);
    if (!completed) all = false;
    if (pending->size() < kPage) return all;
    // Those that were completed are gone: the same question finds what follows.
    if (completed) continue;
    // Some of the page's end may be in the next one again; a whole page of one moment would be the
    // same page forever.
    const WallTime last = pending->back().since;
    query.from = last == pending->front().since ? last + std::chrono::milliseconds(1) : last;
  }
  return false;
}

bool Enrichment::CompletePage(Source& source, const Namespace& ns,
                              const std::vector<PendingDocument>& pending) {
  std::vector<Completion> completions;
  size_t given_up = 0;
  {
    const MutexLock lock(source.mutex);
    for (const PendingDocument& document : pending) {
      const SourceAnswer* answer = source.cache.Find(document.key, parts_.clock.SinceBoot());
      const bool too_old = parts_.clock.Now() - document.since > options_.give_up;
      if (answer) {
        completions.push_back({document.id, answer->value});
      } else if (too_old || document.key.empty()) {
        completions.push_back({document.id, nullptr});
        ++given_up;
      } else {
        source.Ask(document.key, parts_.clock.SinceBoot(), options_.max_waiting);
      }
    }
  }
  const bool all = completions.size() == pending.size();
  if (completions.empty()) return all;
  const auto changed = parts_.completions->Complete(ns, source.mark, source.spec.into, completions);
  if (!changed.ok()) return Trouble(source, "completing", changed.error().message), false;
  source.count.given_up.Increment(static_cast<double>(given_up));
  source.count.completed.Increment(static_cast<double>(*changed - std::min(*changed, given_up)));
  if (given_up > 0)
    Trouble(source, "giving up", fmt::format("{} documents waited for too long", given_up));
  return all;
}

}  // namespace tidegate::reader
