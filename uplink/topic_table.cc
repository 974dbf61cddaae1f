#include "uplink/topic_table.h"

#include <algorithm>

#include "core/check.h"

namespace tidegate {

TopicIndex TopicTable::IndexOf(const std::string& topic) {
  const auto next = static_cast<TopicIndex>(topics_.size());
  const auto [found, inserted] = indexes_.try_emplace(topic, next);
  if (inserted) topics_.push_back({topic, Backoff(backoff_, seed_ + next)});
  return found->second;
}

void TopicTable::Acked(TopicIndex topic) {
  Topic& entry = topics_[topic];
  CHECK(entry.in_flight > 0, "a report is for a record of the topic in flight");
  if (--entry.in_flight == 0) entry.rewinding = false;
  entry.backoff.Reset();
}

void TopicTable::CameBack(TopicIndex topic) {
  Topic& entry = topics_[topic];
  CHECK(entry.in_flight > 0, "a report is for a record of the topic in flight");
  entry.rewinding = --entry.in_flight > 0;
}

void TopicTable::WaitFrom(TopicIndex topic, BootTime now) {
  Topic& entry = topics_[topic];
  if (now < entry.open_from) return;
  entry.open_from = now + entry.backoff.Next();
}

bool TopicTable::Open(TopicIndex topic, BootTime now) const {
  const Topic& entry = topics_[topic];
  return !entry.rewinding && now >= entry.open_from;
}

std::optional<BootTime> TopicTable::NextOpening(BootTime now) const {
  std::optional<BootTime> next;
  for (const Topic& entry : topics_) {
    if (entry.open_from > now) next = std::min(next.value_or(entry.open_from), entry.open_from);
  }
  return next;
}

void TopicTable::Clear() {
  topics_.clear();
  indexes_.clear();
}

}  // namespace tidegate
