// Keeps a store's obligations: a record that it accepted is owed until it has been delivered or a
// gap record declares it; anything else that is missing is a loss. The C++ twin of oracle.py. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"

namespace tidegate {

struct Tally {
  uint64_t faults = 0;
  uint64_t acknowledged = 0;
  uint64_t lost = 0;
  // Records that are stored twice, share an id, or have two.
  uint64_t doubled = 0;
  // Records that gap records declare.
  uint64_t gaps = 0;

  Tally& operator+=(const Tally& other);
};

class StoreOracle {
 public:
  // A record's value begins with its number and a blank; numbers are unique and grow within a
  // class.
  static uint64_t NumberOf(std::string_view value);

  // An append of the record begins: from now on it may be stored.
  void Tried(const Record& record);
  // The record is stored under that seq: from now on it is owed.
  void Acknowledged(const std::string& epoch, Seq seq, const Record& record);
  // The server has the batch.
  void Delivered(const Store& store, const Batch& batch);
  // Compares what can be read from the store with what is owed, and counts what is wrong.
  void Judge(Store& store);

  // Numbers of acknowledged records whose state is folded: heartbeats and readings.
  const std::set<uint64_t>& folded() const { return folded_; }
  uint64_t owed() const { return owed_.size(); }
  const Tally& tally() const { return tally_; }
  Tally& tally() { return tally_; }
  // For people: everything that is wrong. A loss or a double is in the tally as well.
  const std::vector<std::string>& problems() const { return problems_; }
  void Report(std::string problem);

 private:
  struct Owed {
    std::string epoch;
    Seq seq = 0;
    RecordClass record_class = RecordClass::kHeartbeat;
  };
  struct Gap {
    std::string epoch;
    RecordClass record_class = RecordClass::kHeartbeat;
    Seq first = 0, last = 0;
    uint64_t count = 0;
  };

  // Checks every record of a batch that was read: its content, and that its id names no other one.
  void See(const Store& store, const Batch& batch);
  void SeeId(const std::string& epoch, Seq seq, const std::string& identity);
  // Checks one record with a number, and that it never had another id.
  void SeeNumber(const std::string& epoch, Seq seq, uint64_t number);
  void SeeGap(const Record& record);
  bool TakeFromGap(const Owed& owed);

  std::map<uint64_t, size_t> tried_;          // Number -> hash of its value.
  std::map<uint64_t, Owed> owed_;             // By number.
  std::map<std::string, std::string> by_id_;  // epoch:seq -> which record.
  std::map<uint64_t, std::string> id_of_;     // Number -> epoch:seq.
  std::set<std::string> epochs_;              // That batches carried.
  std::map<std::string, Gap> gaps_;           // By where they begin.
  std::set<uint64_t> folded_;
  Tally tally_;
  std::vector<std::string> problems_;
};

}  // namespace tidegate
