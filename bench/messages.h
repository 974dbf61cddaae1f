// The messages that an agent sends for the simulated fleet's heartbeats. For benches.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/wire/wire_message.h"

namespace tidegate {

// Of 100 assets of the tenant "demo", one a millisecond from a fixed time on: all different, and
// the same in every run.
std::vector<WireMessage> MakeMessages(const std::string& topic, size_t count);

}  // namespace tidegate
