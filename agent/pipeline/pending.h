// What waits for the next commit: records by class, how they arrived, and dead letters. Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/record.h"
#include "core/rules/rules.h"
#include "store/store.h"

namespace tidegate {

class Pending {
 public:
  // `arrival.position` is given here.
  void Add(Record record, Arrival arrival);
  void AddAlert(Record alert, RuleChange change);
  void AddDeadLetter(DeadLetter letter);

  // The records in the order of arrival. Everything else that waits is forgotten: the alerts come
  // again when the records are folded.
  std::vector<std::pair<Record, Arrival>> TakeRecords();
  std::vector<DeadLetter> TakeDeadLetters() { return std::exchange(dead_letters_, {}); }
  void Clear();

  // Views of this, without stamp and inputs.
  AppendRequest Request() const;
  size_t records() const { return records_; }
  size_t bytes() const { return bytes_; }
  bool empty() const { return records_ == 0 && dead_letters_.empty(); }
  uint64_t raised() const { return raised_; }
  uint64_t cleared() const { return cleared_; }

 private:
  void Count(const Record& record);

  std::array<std::vector<Record>, kRecordClassCount> by_class_;
  std::array<std::vector<Arrival>, kRecordClassCount> arrivals_;
  std::vector<DeadLetter> dead_letters_;
  size_t records_ = 0;
  size_t bytes_ = 0;
  uint32_t next_position_ = 0;
  uint64_t raised_ = 0;
  uint64_t cleared_ = 0;
};

}  // namespace tidegate
