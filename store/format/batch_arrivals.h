// How the arrivals of a batch are written: what repeats from record to record takes next to
// nothing. The layout is in store/README.md, "Batch body". Private to store/; pure.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/varint.h"
#include "store/store.h"

namespace tidegate {

// REQUIRES: one arrival for each record, each naming one of `inputs`.
void PutArrivals(std::string& out, const ClockStamp& stamp, std::span<const Record> records,
                 std::span<const Arrival> arrivals, std::span<const std::string> inputs);

// Fills batch.arrivals and batch.inputs; its stamp and records are there already. False: the bytes
// end early or hold an impossible value.
bool GetArrivals(ByteReader& reader, Batch& batch);

}  // namespace tidegate
