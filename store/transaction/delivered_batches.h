// The batches that have been delivered and are still stored: those whose delete has not been
// written yet, and those that are kept for replay. Private to store/; pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "store/file/batch_table.h"

namespace tidegate {

// Keys of batches with their numbers of records.
using BatchCounts = std::map<BatchKey, uint64_t>;

class DeliveredBatches {
 public:
  void Add(BatchKey key, uint64_t count) {
    if (batches_.emplace(key, count).second) records_[static_cast<size_t>(ClassOf(key))] += count;
  }
  void Erase(BatchKey key) {
    const auto batch = batches_.find(key);
    if (batch == batches_.end()) return;
    records_[static_cast<size_t>(ClassOf(key))] -= batch->second;
    batches_.erase(batch);
  }

  bool Contains(BatchKey key) const { return batches_.contains(key); }
  // Whether there is one of the class behind `seq`.
  bool AnyAfter(RecordClass record_class, Seq seq) const {
    const auto next = batches_.upper_bound(MakeBatchKey(record_class, seq));
    return next != batches_.end() && ClassOf(next->first) == record_class;
  }
  const BatchCounts& batches() const { return batches_; }
  const std::array<uint64_t, kRecordClassCount>& records() const { return records_; }
  size_t size() const { return batches_.size(); }

 private:
  BatchCounts batches_;
  std::array<uint64_t, kRecordClassCount> records_{};
};

}  // namespace tidegate
