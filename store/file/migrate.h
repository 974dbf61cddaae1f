// Brings the file of an earlier format version to the newest. Private to store/; one thread.
#pragma once

#include "core/result.h"
#include "store/file/sqlite_handle.h"

namespace tidegate {

// One transaction: a power cut leaves the one version or the other. The backlog stays.
Status MigrateFromVersion1(Database& database);

}  // namespace tidegate
