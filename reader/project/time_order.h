// The order in which documents of several partitions are folded. Pure.
#pragma once

#include <span>
#include <vector>

#include "reader/project/fold.h"

namespace tidegate::reader {

// Returns the events by time, in which those of one asset and partition keep their order: there a
// document counts as no older than its predecessors. Sets batch_first of each.
// REQUIRES: the events of each asset and partition are in the order of their offsets.
std::vector<Event> InOrderOfTime(std::span<const Event> events);

}  // namespace tidegate::reader
