// Makes the Kafka messages that an agent sends for the simulated fleet's heartbeats, for benches.
// Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/wire/wire_message.h"

namespace tidegate {

// Returns `count` messages of 100 assets of the tenant "demo". Their times are a millisecond apart,
// from a fixed time on. All messages differ from each other and are the same in every run.
std::vector<WireMessage> MakeMessages(const std::string& topic, size_t count);

}  // namespace tidegate
