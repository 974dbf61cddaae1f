// The two rows of table state that hold snapshots of the fold. They are written in turn, so that
// the previous snapshot stays until the newer one is certain. Private to store/; one thread.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/sqlite/database.h"
#include "store/file/schema.h"
#include "store/store.h"

namespace tidegate {

struct SnapshotSlots {
  // In the order of kStateSnapshots; nullopt: the row is missing or damaged.
  std::array<std::optional<Snapshot>, kStateSnapshots.size()> slots;
  // For people: why each damaged row does not read.
  std::vector<std::string> damaged;
};

// kUnavailable, kCorrupt: as any read of the database. A damaged snapshot is no error.
Result<SnapshotSlots> ReadSnapshotSlots(sqlite::Database& database);

}  // namespace tidegate
