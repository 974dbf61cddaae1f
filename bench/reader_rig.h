// What the reader's benches share: the fleet's heartbeats as the reader finds them in Kafka, and
// the decoder that makes documents of them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "reader/consume/source.h"
#include "reader/decode/decoder.h"

namespace tidegate::reader {

inline constexpr std::string_view kBenchTopic = "telematics.raw.telematics_heartbeat";

// With the built-in streams and one shared database.
Decoder BenchDecoder(const std::string& database);

// Offsets from 0 on of partition 0 of kBenchTopic.
std::vector<SourceMessage> BenchMessages(size_t count);

// Ends the program if it is none of BenchMessages().
Document BenchDocument(const Decoder& decoder, const SourceMessage& message);

}  // namespace tidegate::reader
