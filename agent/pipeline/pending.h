// What the next commit will store: records by class, how they arrived, and dead letters. Pure.
//
// Invariants, checked in Request() and Take():
// - records() is the number of records in all classes.
// - Each heartbeat and reading has its arrival; alerts have none.
// - The arrivals' positions are 0, 1, 2, ... in the order of arrival, each used once.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "agent/pipeline/buffered_bytes.h"
#include "core/record.h"
#include "core/rules/rules.h"
#include "store/store.h"

namespace tidegate {

class Pending {
 public:
  // Records in the order of arrival.
  using ArrivedRecords = std::vector<std::pair<Record, Arrival>>;
  struct Contents {
    ArrivedRecords records;
    std::vector<DeadLetter> dead_letters;
  };

  // Sets `arrival.position`. REQUIRES: a heartbeat or a reading.
  void Add(Record record, Arrival arrival);
  // REQUIRES: an alert, and a rule's state that has changed.
  void AddAlert(Record alert, RuleChange change);
  void AddDeadLetter(DeadLetter letter);

  // Empties this object and returns the records and dead letters. Drops the alerts: they are
  // emitted again when the records are folded again.
  Contents Take();
  // Removes the dead letters and returns them.
  std::vector<DeadLetter> TakeLetters();
  void Clear();

  // Views of this object's contents, without stamp and inputs.
  AppendRequest Request() const;

  // Alerts included.
  size_t records() const { return records_; }
  // Heartbeats and readings: what was folded.
  size_t arrivals() const { return next_position_; }
  // Memory of the records, alerts and dead letters.
  size_t bytes() const { return bytes_.total(); }
  bool has_letters() const { return !dead_letters_.empty(); }
  bool empty() const { return records_ == 0 && dead_letters_.empty(); }
  // Alerts by change.
  uint64_t raised() const { return raised_; }
  uint64_t cleared() const { return cleared_; }

 private:
  void Count(const Record& record);

  std::array<std::vector<Record>, kRecordClassCount> by_class_;
  std::array<std::vector<Arrival>, kRecordClassCount> arrivals_;
  std::vector<DeadLetter> dead_letters_;
  size_t records_ = 0;
  BufferedBytes bytes_;
  uint32_t next_position_ = 0;
  uint64_t raised_ = 0;
  uint64_t cleared_ = 0;
};

}  // namespace tidegate
