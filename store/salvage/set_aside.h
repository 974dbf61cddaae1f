// Damaged and foreign files beside the store, and the step that puts a new store in the place of
// one, whole or not at all: store/README.md, "Damage". Private to store/; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace tidegate {

// Why a file was set aside, and so what may become of it.
enum class Aside {
  kDamaged,  // All that could be read of it has been moved: the oldest may be deleted for room.
  kKept,     // Something in it is nowhere else: never deleted.
  kForeign,  // Not a store: never deleted.
};

struct SetAsideFile {
  std::string path;  // Its log, if it had one, is `path`-wal.
  Aside aside = Aside::kDamaged;
  uint64_t bytes = 0;  // With the log.
};

// Oldest first.
std::vector<SetAsideFile> ListSetAside(const std::string& path);

struct SetAsideUsage {
  uint64_t files = 0;
  uint64_t bytes = 0;
};
SetAsideUsage UsageOf(const std::vector<SetAsideFile>& files);

// Where the new store is built. What an earlier attempt left there is deleted.
Result<std::string> BeginReplacement(const std::string& path);

// The new store, closed and synced, takes the place of the file at `path`, which is set aside with
// its log, unchanged. Returns where. A crash in between is made good by FinishReplacement.
Result<std::string> Replace(const std::string& path, Aside aside, WallTime now);

// Before a store is opened: ends a replacement that a crash cut short.
Status FinishReplacement(const std::string& path);

// Deletes the oldest files of kDamaged that are over the bounds, never the newest. Returns their
// paths.
inline constexpr size_t kMaxSetAside = 3;
std::vector<std::string> TrimSetAside(const std::string& path, uint64_t max_bytes);

}  // namespace tidegate
