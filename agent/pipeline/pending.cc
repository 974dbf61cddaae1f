#include "agent/pipeline/pending.h"

#include <algorithm>

#include "core/check.h"

namespace tidegate {

void Pending::Count(const Record& record) {
  ++records_;
  bytes_.Add(record);
}

void Pending::Add(Record record, Arrival arrival) {
  CHECK(record.record_class == RecordClass::kHeartbeat ||
            record.record_class == RecordClass::kReading,
        "inputs deliver heartbeats and readings: only these are replayed");
  Count(record);
  arrival.position = next_position_++;
  const auto record_class = static_cast<size_t>(record.record_class);
  arrivals_[record_class].push_back(arrival);
  by_class_[record_class].push_back(std::move(record));
}

void Pending::AddAlert(Record alert, RuleChange change) {
  CHECK(alert.record_class == RecordClass::kAlert, "a rule emits alerts");
  CHECK(change != RuleChange::kNone, "an alert says that it is raised or cleared");
  Count(alert);
  ++(change == RuleChange::kRaised ? raised_ : cleared_);
  by_class_[static_cast<size_t>(RecordClass::kAlert)].push_back(std::move(alert));
}

void Pending::AddDeadLetter(DeadLetter letter) {
  bytes_.Add(letter);
  dead_letters_.push_back(std::move(letter));
}

Pending::Contents Pending::Take() {
  Contents taken;
  taken.records.reserve(next_position_);
  for (size_t i = 0; i < kRecordClassCount; ++i) {
    for (size_t j = 0; j < arrivals_[i].size(); ++j)
      taken.records.emplace_back(std::move(by_class_[i][j]), arrivals_[i][j]);
  }
  std::ranges::sort(taken.records, {}, [](const auto& record) { return record.second.position; });
  CHECK(taken.records.size() == next_position_, "every pending position has its record");
  CHECK(taken.records.empty() || taken.records.back().second.position == next_position_ - 1,
        "pending positions have no holes");
  taken.dead_letters = std::exchange(dead_letters_, {});
  Clear();
  return taken;
}

std::vector<DeadLetter> Pending::TakeLetters() {
  for (const DeadLetter& letter : dead_letters_) bytes_.Remove(letter);
  return std::exchange(dead_letters_, {});
}

void Pending::Clear() {
  for (auto& records : by_class_) records.clear();
  for (auto& arrivals : arrivals_) arrivals.clear();
  dead_letters_.clear();
  bytes_.Clear();
  records_ = next_position_ = 0;
  raised_ = cleared_ = 0;
}

AppendRequest Pending::Request() const {
  AppendRequest request;
  size_t records = 0;
  size_t arrivals = 0;
  for (const RecordClass record_class : kRecordClasses) {
    const auto i = static_cast<size_t>(record_class);
    if (by_class_[i].empty()) continue;
    CHECK(arrivals_[i].empty() == (record_class == RecordClass::kAlert),
          "all pending records but alerts have arrivals");
    CHECK(arrivals_[i].empty() || arrivals_[i].size() == by_class_[i].size(),
          "each pending record has one arrival");
    request.batches.push_back({record_class, by_class_[i], arrivals_[i]});
    records += by_class_[i].size();
    arrivals += arrivals_[i].size();
  }
  CHECK(records == records_, "the count of pending records is right");
  CHECK(arrivals == next_position_, "the count of pending arrivals is right");
  request.dead_letters = dead_letters_;
  return request;
}

}  // namespace tidegate
