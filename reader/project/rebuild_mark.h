// While projections are made anew from what has landed, nobody else may fold. A mark among the
// landing's positions says so: like them it only moves forward, and it is odd while a rebuild is
// under way. For the projector and the rebuild.
#pragma once

#include <cstdint>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "reader/database/projection_store.h"

namespace tidegate::reader {

// Its `_id` in kPositions; no partition's name lacks a '/'.
inline constexpr const char* kRebuildMark = "rebuild";

inline bool IsUnderWay(int64_t mark) {
  return mark % 2 == 1;
}

// 0: there never was one. Errors are the store's.
Result<int64_t> ReadRebuildMark(ProjectionStore& store, const std::string& database);
// `mark`: the present one.
Status WriteRebuildMark(ProjectionStore& store, const std::string& database, int64_t mark,
                        bool under_way, WallTime now);

}  // namespace tidegate::reader
