// Migrates the file of an earlier format version to the newest. Private to store/; one thread.
#pragma once

#include <cstdint>

#include "core/result.h"
#include "core/sqlite/database.h"

namespace tidegate {

// Migrates in one transaction, so a power cut leaves one version or the other. The backlog stays.
// kCorrupt: the file's numbers are impossible. REQUIRES: version < kStoreVersion.
Status MigrateFrom(int64_t version, sqlite::Database& database);

}  // namespace tidegate
