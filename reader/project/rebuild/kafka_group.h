// Asks Kafka for the members of a consumer group. Thread: one.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/kafka/kafka_config.h"
#include "core/log.h"
#include "core/result.h"

namespace tidegate::reader {

// Returns the members' hosts and client ids, for people. `request` configures a consumer of the
// group; it does not join. `patience` bounds the call. kInvalid: the configuration can never work.
// kUnavailable: no broker answered in time.
Result<std::vector<std::string>> MembersOfGroup(const kafka::ConfigRequest& request,
                                                std::chrono::milliseconds patience,
                                                const Clock& clock, const Log& log);

}  // namespace tidegate::reader
