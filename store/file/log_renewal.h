// Copies the log that a stopped process has left, before anything trusts it: a sync may have failed
// before the process ended, and then the kernel counts as written what the medium does not have.
// Private to store/; any thread.
#pragma once

#include <string>

#include "core/result.h"

namespace tidegate {

// Replaces the log at `path`-wal by a synced copy of itself, whole or not at all. Keeps the log as
// it is if it is empty or unreadable, if the disk has no room for a copy, or if another process
// reads the store. kUnavailable: the copy cannot be written. REQUIRES: this process has neither the
// database at `path` nor its log open.
Status RenewLog(const std::string& path);

}  // namespace tidegate
