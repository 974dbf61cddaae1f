// What uses a store in a gateway, as one random schedule: a pipeline that appends, folds and
// repeats what was refused, and an uplink that reads batches in turn and reports some of them as
// delivered. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "store/store.h"
#include "tests/crash/store_oracle.h"

namespace tidegate {

class StoreGateway {
 public:
  explicit StoreGateway(uint64_t seed) : random_(seed) {}

  // Starts a process on the store, with the state that snapshot and replay give. Returns an error
  // if the store cannot be read.
  Status Start(Store& store);
  // Does one append, delivery, flush, or write of a value.
  void Step(Store& store);
  // Appends once. False: the store refused it.
  bool Append(Store& store);

  void SetLargestValue(size_t bytes) { largest_value_ = bytes; }
  StoreOracle& oracle() { return oracle_; }
  // Returns true if the store has asked for a snapshot: only then it promises a fold.
  bool asked() const { return asked_; }
  uint64_t folds_checked() const { return folds_checked_; }

 private:
  void Prepare();
  Record MakeOne(RecordClass record_class);
  void Deliver(Store& store);
  void SaveValue(Store& store);
  Status RebuildFold(Store& store);
  Status CheckValue(Store& store);
  std::optional<std::string> TakeSnapshot();

  std::mt19937_64 random_;
  size_t largest_value_ = 700;
  StoreOracle oracle_;
  uint64_t last_number_ = 0;
  // The request that no Append has stored yet; it is tried again until one has.
  std::vector<std::vector<Record>> pending_;
  std::vector<DeadLetter> letters_;
  std::set<uint64_t> fold_;  // With what is pending.
  bool in_append_ = false;
  bool asked_ = false;
  uint64_t folds_checked_ = 0;
  Cursor cursor_;
  std::deque<Batch> in_flight_;
  uint64_t last_value_ = 0;   // Tried.
  uint64_t saved_value_ = 0;  // Acknowledged.
};

}  // namespace tidegate
