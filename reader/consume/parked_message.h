// The format of a message in the parking topic: the value is the record's, the key names the
// database, so that the records of one database are in one partition and in their order, and the
// headers are the record's and its origin (reader/README.md). Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "reader/consume/source.h"

namespace tidegate::reader {

// The record's own place, time and key. The last two are left out if it had none, and the epoch of
// its partition's log (reader/land/partition_epochs.h) if that is 0.
inline constexpr std::string_view kHeaderParkedTopic = "tg-parked-topic";
inline constexpr std::string_view kHeaderParkedPartition = "tg-parked-partition";
inline constexpr std::string_view kHeaderParkedOffset = "tg-parked-offset";
inline constexpr std::string_view kHeaderParkedEpoch = "tg-parked-epoch";
inline constexpr std::string_view kHeaderParkedTimestamp = "tg-parked-timestamp";
inline constexpr std::string_view kHeaderParkedKey = "tg-parked-key";
// When it was parked.
inline constexpr std::string_view kHeaderParkedTime = "tg-parked-time";

struct ParkedMessage {
  // The record with its own topic, partition, offset, key, headers and timestamp.
  SourceMessage record;
  std::string database;
  // Which of the logs that its partition has had contained the record.
  int64_t epoch = 0;
};

// Returns the record's headers and those of its origin.
std::vector<std::pair<std::string, std::string>> ParkedHeaders(const SourceMessage& record,
                                                               int64_t epoch, WallTime now);
// `raw` is a message of the parking topic. nullopt: no Tidegate reader has parked it, because its
// key or one of the headers is missing or does not parse.
std::optional<ParkedMessage> ReadParked(SourceMessage raw);

}  // namespace tidegate::reader
