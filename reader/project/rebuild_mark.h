// The mark that keeps projectors from folding while a rebuild makes the projections anew. It is
// stored among the landing's positions and like them only moves forward; it is odd while a rebuild
// is under way. For the projector and the rebuild. Thread: the store's.
#pragma once

#include <cstdint>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "reader/database/projection_store.h"

namespace tidegate::reader {

// The mark's `_id` in kPositions. A partition's name always holds a '/', so it equals none.
inline constexpr const char* kRebuildMark = "rebuild";

inline bool IsUnderWay(int64_t mark) {
  return mark % 2 == 1;
}

// Returns 0 if there never was a rebuild. Errors are the store's.
Result<int64_t> ReadRebuildMark(ProjectionStore& store, const std::string& database);
// `mark` is the stored one. Writes nothing if it already says `under_way`.
Status WriteRebuildMark(ProjectionStore& store, const std::string& database, int64_t mark,
                        bool under_way, WallTime now);

}  // namespace tidegate::reader
