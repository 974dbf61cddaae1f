// Reads the stored heartbeats and readings after a seq, in the order in which they arrived. Loop
// thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/result.h"
#include "store/store.h"

namespace tidegate {

struct ReplayVisitor {
  // Called before the records of each commit, with the commit's stamp.
  std::function<void(const ClockStamp&)> begin;
  // Called for each record. `input` is empty if the batch does not name it.
  std::function<void(const Record&, const Arrival&, const std::string& input)> each;
};

// Returns how many records were visited. Fails as Store::Replay does, after some records may have
// been visited. kCorrupt: the store returned batches out of order.
Result<uint64_t> ReplayAfter(Store& store, Seq after, const ReplayVisitor& visitor);

}  // namespace tidegate
