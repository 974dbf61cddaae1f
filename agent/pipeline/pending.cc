#include "agent/pipeline/pending.h"

#include <algorithm>

namespace tidegate {

void Pending::Count(const Record& record) {
  ++records_;
  bytes_ += record.value.size() + sizeof(Record) + sizeof(Arrival);
}

void Pending::Add(Record record, Arrival arrival) {
  Count(record);
  arrival.position = next_position_++;
  const auto record_class = static_cast<size_t>(record.record_class);
  arrivals_[record_class].push_back(arrival);
  by_class_[record_class].push_back(std::move(record));
}

void Pending::AddAlert(Record alert, RuleChange change) {
  Count(alert);
  ++(change == RuleChange::kRaised ? raised_ : cleared_);
  by_class_[static_cast<size_t>(RecordClass::kAlert)].push_back(std::move(alert));
}

void Pending::AddDeadLetter(DeadLetter letter) {
  bytes_ += letter.payload.size() + sizeof(DeadLetter);
  dead_letters_.push_back(std::move(letter));
}

std::vector<std::pair<Record, Arrival>> Pending::TakeRecords() {
  std::vector<std::pair<Record, Arrival>> taken;
  for (size_t i = 0; i < kRecordClassCount; ++i) {
    for (size_t j = 0; j < arrivals_[i].size(); ++j)
      taken.emplace_back(std::move(by_class_[i][j]), arrivals_[i][j]);
  }
  std::ranges::sort(taken, {}, [](const auto& record) { return record.second.position; });
  Clear();
  return taken;
}

void Pending::Clear() {
  for (auto& records : by_class_) records.clear();
  for (auto& arrivals : arrivals_) arrivals.clear();
  dead_letters_.clear();
  records_ = bytes_ = next_position_ = 0;
  raised_ = cleared_ = 0;
}

AppendRequest Pending::Request() const {
  AppendRequest request;
  for (const RecordClass record_class : kRecordClasses) {
    const auto i = static_cast<size_t>(record_class);
    if (!by_class_[i].empty())
      request.batches.push_back({record_class, by_class_[i], arrivals_[i]});
  }
  request.dead_letters = dead_letters_;
  return request;
}

}  // namespace tidegate
