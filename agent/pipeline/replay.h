// The stored heartbeats and readings behind a seq, in the order in which they arrived. One thread.
#pragma once

#include <functional>
#include <string>

#include "core/result.h"
#include "store/store.h"

namespace tidegate {

// `begin` is called before the records of each batch's stamp, `each` for each record.
struct ReplayVisitor {
  std::function<void(const ClockStamp&)> begin;
  // `input` is empty if the batch does not tell.
  std::function<void(const Record&, const Arrival&, const std::string& input)> each;
};
// Returns how many there were. Fails as Store::Replay does; what was visited before stays visited.
Result<uint64_t> ReplayBehind(Store& store, Seq after, const ReplayVisitor& visitor);

}  // namespace tidegate
