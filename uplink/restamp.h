// Gives a record that was dated by an unsynchronised clock the time at which it really arrived,
// once that is known. Pure.
#pragma once

#include <cstddef>
#include <optional>

#include "core/clock_history.h"
#include "core/record.h"
#include "store/store.h"

namespace tidegate {

// The batch's record with the time that the clock, right since, says of its arrival, and counted as
// synchronised. nullopt, it stays as it is: its source gave the time, the clock was right, or the
// history does not know its boot. What names a record for ever does not change: its seq, and an
// alert's raised_at.
std::optional<Record> Restamp(const Batch& batch, size_t index, const ClockHistory& history);

}  // namespace tidegate
