// Encodes the arrivals of a batch so that what repeats from record to record takes next to nothing.
// store/README.md, "Batch body", has the layout. Private to store/; pure.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/varint.h"
#include "store/store.h"

namespace tidegate {

// Appends the arrivals to `out`. REQUIRES: one arrival for each record, each naming one of
// `inputs`.
void PutArrivals(std::string& out, const ClockStamp& stamp, std::span<const Record> records,
                 std::span<const Arrival> arrivals, std::span<const std::string> inputs);

// Fills batch.arrivals and batch.inputs from untrusted bytes. False: they end early or hold an
// impossible value. REQUIRES: the batch has its stamp and records, and no arrivals yet.
bool GetArrivals(ByteReader& reader, Batch& batch);

}  // namespace tidegate
