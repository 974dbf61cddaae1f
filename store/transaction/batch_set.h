// A set of stored batches, with the number of records of each and their sum per class. Private to
// store/; pure.
//
// Invariant: records()[class] is the sum over the set's batches of that class. Add bounds each
// count, so that no sum overflows; Erase checks that it takes no more than there is.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "core/check.h"
#include "store/file/batch_table.h"

namespace tidegate {

// Keys of batches with their numbers of records.
using BatchCounts = std::map<BatchKey, uint64_t>;

class BatchSet {
 public:
  // Adds the batch; one that is in the set already keeps its count. REQUIRES: the key is a batch's,
  // and `count` is at most kMaxRowRecords.
  void Add(BatchKey key, uint64_t count) {
    CHECK(SeqOf(key) != 0 && key < EndOfClass(kRecordClasses.back()), "the key is a batch's");
    CHECK(count <= kMaxRowRecords, "a row holds no more records than a batch may");
    if (batches_.emplace(key, count).second) records_[static_cast<size_t>(ClassOf(key))] += count;
  }
  // Does nothing if the batch is not in the set.
  void Erase(BatchKey key) {
    const auto batch = batches_.find(key);
    if (batch == batches_.end()) return;
    uint64_t& records = records_[static_cast<size_t>(ClassOf(key))];
    CHECK(records >= batch->second, "the sum of a class covers each of its batches");
    records -= batch->second;
    batches_.erase(batch);
  }
  void Clear() { *this = BatchSet(); }

  bool Contains(BatchKey key) const { return batches_.contains(key); }
  // Returns the number of records of the batch; 0 if it is not in the set.
  uint64_t CountOf(BatchKey key) const {
    const auto batch = batches_.find(key);
    return batch == batches_.end() ? 0 : batch->second;
  }
  // Returns true if the set holds a batch of the class with a first seq above `seq`.
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
