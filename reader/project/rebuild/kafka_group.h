// Who is in a consumer group.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/kafka/kafka_config.h"
#include "core/log.h"
#include "core/result.h"

namespace tidegate::reader {

// The members' hosts and client ids, for people. `request`: a consumer's; it joins nothing.
// kInvalid: the configuration can never work. kUnavailable: no broker told in time.
Result<std::vector<std::string>> MembersOfGroup(const kafka::ConfigRequest& request,
                                                std::chrono::milliseconds patience,
                                                const Clock& clock, const Log& log);

}  // namespace tidegate::reader
