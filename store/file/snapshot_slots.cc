#include "store/file/snapshot_slots.h"

#include <utility>

#include "store/format/snapshot_body.h"

namespace tidegate {

Result<SnapshotSlots> ReadSnapshotSlots(sqlite::Database& database) {
  SnapshotSlots found;
  for (size_t i = 0; i < found.slots.size(); ++i) {
    const auto bytes = ReadState(database, kStateSnapshots[i]);
    if (!bytes.ok()) return bytes.error();
    if (!*bytes) continue;
    auto snapshot = DecodeSnapshot(**bytes);
    if (snapshot.ok()) {
      found.slots[i] = *std::move(snapshot);
    } else {
      found.damaged.push_back(snapshot.error().message);
    }
  }
  return found;
}

}  // namespace tidegate
