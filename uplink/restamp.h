// Corrects the time of a record that was dated by an unsynchronised clock, once the time at which
// it arrived is known. Pure.
#pragma once

#include <cstddef>
#include <optional>

#include "core/clock_history.h"
#include "core/record.h"
#include "store/store.h"

namespace tidegate {

// Returns the batch's record at `index` with the corrected time of its arrival, marked as
// synchronised. nullopt: it keeps its time, because its source gave it, the clock was right, or the
// history does not know its boot. Names never change: neither the record's seq nor an alert's
// raised_at. REQUIRES: index < batch.records.size().
std::optional<Record> Restamp(const Batch& batch, size_t index, const ClockHistory& history);

}  // namespace tidegate
