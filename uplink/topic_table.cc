#include "uplink/topic_table.h"

#include <algorithm>

#include "core/check.h"

namespace tidegate {

namespace {
// In flight of a topic whose last report was a failure: a topic that does not exist holds them for
// half a minute.
constexpr uint64_t kMaxStuckRecords = 10;
// A topic that has acknowledged nothing for so long may be stuck inside the library.
constexpr std::chrono::seconds kBusy{1};

uint64_t Left(uint64_t used, uint64_t limit) {
  return limit > used ? limit - used : 0;
}
}  // namespace

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

bool TopicTable::UsesShare(const Topic& topic) const {
  return topic.records / 4 >= Left(records_, limits_.max_records) ||
         topic.bytes / 4 >= Left(bytes_, limits_.max_bytes);
}

// A single topic has used half of its share when 2 of 5 parts are in flight.
bool TopicTable::UsesHalfOfShare(const Topic& topic) const {
  return topic.records > Left(records_, limits_.max_records) / 3 * 2 ||
         topic.bytes > Left(bytes_, limits_.max_bytes) / 3 * 2;
}

void TopicTable::Sent(TopicIndex topic, size_t bytes) {
  Topic& entry = Of(topic);
  ++entry.records;
  ++records_;
  entry.bytes += bytes;
  bytes_ += bytes;
  if (UsesShare(entry)) entry.full = true;
}

TopicTable::Topic& TopicTable::Returned(TopicIndex topic, size_t bytes) {
  Topic& entry = Of(topic);
  CHECK(entry.records > 0 && records_ > 0, "a report is for a record of the topic in flight");
  CHECK(entry.bytes >= bytes && bytes_ >= bytes, "a report frees no more than is in flight");
  --entry.records;
  --records_;
  entry.bytes -= bytes;
  bytes_ -= bytes;
  if (entry.records == 0 || !UsesHalfOfShare(entry)) entry.full = false;
  return entry;
}

void TopicTable::Acked(TopicIndex topic, size_t bytes, BootTime now) {
  Topic& entry = Returned(topic, bytes);
  if (entry.records == 0) entry.rewinding = false;
  entry.stuck = false;
  entry.acked_at = now;
  entry.backoff.Reset();
}

void TopicTable::CameBack(TopicIndex topic, size_t bytes) {
  Topic& entry = Returned(topic, bytes);
  entry.rewinding = entry.records > 0;
}

void TopicTable::WaitFrom(TopicIndex topic, BootTime now) {
  Topic& entry = Of(topic);
  entry.stuck = true;
  if (now < entry.open_from) return;
  entry.open_from = now + entry.backoff.Next();
}

bool TopicTable::Open(TopicIndex topic, BootTime now) const {
  return !Of(topic).on_trial && Ready(topic, now);
}

bool TopicTable::Ready(TopicIndex topic, BootTime now) const {
  const Topic& entry = Of(topic);
  if (entry.stuck && entry.records >= kMaxStuckRecords) return false;
  return !entry.rewinding && !entry.full && now >= entry.open_from;
}

bool TopicTable::Busy(TopicIndex topic, BootTime now) const {
  const Topic& entry = Of(topic);
  return entry.full && now - entry.acked_at < kBusy;
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
  records_ = bytes_ = 0;
}

}  // namespace tidegate
