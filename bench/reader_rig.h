// Input of the reader's benches: the simulated fleet's heartbeats as the reader reads them from
// Kafka, and the decoder that makes documents of them. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "reader/consume/source.h"
#include "reader/decode/decoder.h"

namespace tidegate::reader {

inline constexpr std::string_view kBenchTopic = "telematics.raw.telematics_heartbeat";

// Makes a decoder with the built-in streams and one database for all tenants.
Decoder BenchDecoder(const std::string& database);

// Returns `count` messages of partition 0 of kBenchTopic, with offsets from 0 on.
std::vector<SourceMessage> BenchMessages(size_t count);

// Decodes one of BenchMessages(). Prints the reason and exits with 1 if the decoder refuses it.
Document BenchDocument(const Decoder& decoder, const SourceMessage& message);

}  // namespace tidegate::reader
