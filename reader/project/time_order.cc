#include "reader/project/time_order.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>

namespace tidegate::reader {

namespace {
struct Timed {
  WallTime time;
  const Event* event;
};
}  // namespace

std::vector<Event> InOrderOfTime(std::span<const Event> events) {
  using Sequence = std::tuple<std::string_view, std::string_view, std::string_view>;
  std::map<Sequence, WallTime> newest;
  std::map<std::string_view, int64_t> first;
  std::vector<Timed> timed;
  timed.reserve(events.size());
  for (const Event& event : events) {
    const Document& document = *event.document;
    const WallTime time = BoundedTime(document);
    WallTime& latest =
        newest.try_emplace({document.tenant, document.asset, event.partition}, time).first->second;
    latest = std::max(latest, time);
    timed.push_back({latest, &event});
    int64_t& lowest = first.try_emplace(event.partition, event.offset).first->second;
    lowest = std::min(lowest, event.offset);
  }
  std::ranges::stable_sort(timed, [](const Timed& a, const Timed& b) {
    return std::tie(a.time, a.event->partition, a.event->offset) <
           std::tie(b.time, b.event->partition, b.event->offset);
  });
  std::vector<Event> ordered;
  ordered.reserve(timed.size());
  for (const auto& [time, event] : timed) {
    ordered.push_back(*event);
    ordered.back().batch_first = first.at(event->partition);
  }
  return ordered;
}

}  // namespace tidegate::reader
