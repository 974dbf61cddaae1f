// Gives a log that a stopped process has left a fresh copy, before anything trusts it: a sync may
// have failed before the process ended, and then the kernel takes for written what the medium does
// not have. Private to store/.
#pragma once

#include <string>

#include "core/result.h"

namespace tidegate {

// The log at `path`-wal becomes a synced copy of itself, whole or not at all. Left as it is when it
// holds nothing, does not read, when the disk has no room for a copy, or when another process reads
// the store. kUnavailable: the copy cannot be written. REQUIRES: this process has neither open.
Status RenewLog(const std::string& path);

}  // namespace tidegate
