#include "uplink/topic_table.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate {

namespace {
// In flight of a topic whose last report was a failure: a topic that does not exist holds them for
// half a minute.
constexpr uint64_t kMaxStuckRecords = 10;
// A topic that has acknowledged nothing for so long may be stuck inside the library.
constexpr std::chrono::seconds kBusy{1};
// The others do not wait for a topic that has acknowledged nothing for so long.
constexpr std::chrono::milliseconds kHeld{100};
// The library may keep the records of a topic for ever (not enough replicas).
constexpr std::chrono::minutes kMaxHeld{1};

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

uint64_t TopicTable::MaxStuckInAll() const {
  return std::max<uint64_t>(limits_.max_records / 4, kMaxStuckRecords);
}

void TopicTable::Sent(TopicIndex topic, size_t bytes, BootTime now) {
  Topic& entry = Of(topic);
  if (entry.records == 0) entry.waits_since = now;
  if (entry.stuck) ++stuck_records_;
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
  CHECK(!entry.stuck || stuck_records_ > 0, "what a stuck topic has in flight was counted");
  if (entry.stuck) --stuck_records_;
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
  if (std::exchange(entry.stuck, false)) stuck_records_ -= entry.records;
  entry.waits_since = now;
  entry.backoff.Reset();
}

void TopicTable::CameBack(TopicIndex topic, size_t bytes) {
  Topic& entry = Returned(topic, bytes);
  entry.rewinding = entry.records > 0;
}

void TopicTable::WaitFrom(TopicIndex topic, BootTime now) {
  Topic& entry = Of(topic);
  if (!std::exchange(entry.stuck, true)) stuck_records_ += entry.records;
  if (now < entry.open_from) return;
  entry.open_from = now + entry.backoff.Next();
}

bool TopicTable::Open(TopicIndex topic, BootTime now) const {
  return !Of(topic).on_trial && Ready(topic, now);
}

bool TopicTable::Ready(TopicIndex topic, BootTime now) const {
  const Topic& entry = Of(topic);
  if (entry.stuck && (entry.records >= kMaxStuckRecords || stuck_records_ >= MaxStuckInAll()))
    return false;
  return !entry.rewinding && !entry.full && !entry.leaving && now >= entry.open_from;
}

bool TopicTable::Busy(TopicIndex topic, BootTime now) const {
  const Topic& entry = Of(topic);
  return entry.full && now - entry.waits_since < kBusy;
}

TopicTable::Held TopicTable::HeldNow(BootTime now) const {
  Held held;
  for (const Topic& entry : topics_) {
    if (entry.records == 0 || now - entry.waits_since < kHeld) continue;
    held.records += entry.records;
    held.bytes += entry.bytes;
  }
  return held;
}

// A few records of a stuck topic are no reason, because a recall concerns those of all topics.
bool TopicTable::StandsInTheWay(const Topic& topic) const {
  if (topic.records == 0) return false;
  return topic.records > kMaxStuckRecords || topic.leaving ||
         (topic.stuck && stuck_records_ >= MaxStuckInAll());
}

bool TopicTable::CloseOverdue(BootTime now) {
  bool any = false;
  for (TopicIndex topic = 0; topic < topics_.size(); ++topic) {
    const Topic& entry = topics_[topic];
    if (!StandsInTheWay(entry) || now - entry.waits_since < kMaxHeld) continue;
    WaitFrom(topic, now);
    any = true;
  }
  return any;
}

std::optional<BootTime> TopicTable::NextOverdue() const {
  std::optional<BootTime> next;
  for (const Topic& entry : topics_) {
    if (!StandsInTheWay(entry)) continue;
    const BootTime time = entry.waits_since + kMaxHeld;
    next = std::min(next.value_or(time), time);
  }
  return next;
}

std::optional<BootTime> TopicTable::NextOpening(BootTime now, bool held) const {
  std::optional<BootTime> next;
  const auto until = [&](BootTime time) {
    if (time > now) next = std::min(next.value_or(time), time);
  };
  for (const Topic& entry : topics_) {
    until(entry.open_from);
    if (entry.full) until(entry.waits_since + kBusy);
    if (held && entry.records > 0) until(entry.waits_since + kHeld);
  }
  return next;
}

void TopicTable::Clear() {
  topics_.clear();
  indexes_.clear();
  records_ = bytes_ = stuck_records_ = 0;
}

}  // namespace tidegate
