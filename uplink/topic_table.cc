#include "uplink/topic_table.h"

#include <algorithm>

#include "core/check.h"

namespace tidegate {

TopicTable::Topic& TopicTable::Of(TopicIndex topic) {
  CHECK(topic < topics_.size(), "the index is of a topic in the table");
  return topics_[topic];
}

const TopicTable::Topic& TopicTable::Of(TopicIndex topic) const {
  CHECK(topic < topics_.size(), "the index is of a topic in the table");
  return topics_[topic];
}

TopicIndex TopicTable::IndexOf(const std::string& topic) {
  const auto next = static_cast<TopicIndex>(topics_.size());
  const auto [found, inserted] = indexes_.try_emplace(topic, next);
  if (inserted) topics_.push_back({topic, Backoff(backoff_, seed_ + next)});
  CHECK(indexes_.size() == topics_.size(), "each topic has one index");
  return found->second;
}

void TopicTable::Acked(TopicIndex topic) {
  Topic& entry = Of(topic);
  CHECK(entry.in_flight > 0, "a report is for a record of the topic in flight");
  if (--entry.in_flight == 0) entry.rewinding = false;
  entry.backoff.Reset();
}

void TopicTable::CameBack(TopicIndex topic) {
  Topic& entry = Of(topic);
  CHECK(entry.in_flight > 0, "a report is for a record of the topic in flight");
  entry.rewinding = --entry.in_flight > 0;
}

void TopicTable::WaitFrom(TopicIndex topic, BootTime now) {
  Topic& entry = Of(topic);
  if (now < entry.open_from) return;
  entry.open_from = now + entry.backoff.Next();
}

bool TopicTable::Open(TopicIndex topic, BootTime now) const {
  const Topic& entry = Of(topic);
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
