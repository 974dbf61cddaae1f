// Damaged and foreign files beside the store, and the step that replaces one by a new store, whole
// or not at all: store/README.md, "Damage". Private to store/; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace tidegate {

// The reason why a file was set aside decides if it may be deleted.
enum class Aside {
  // All that could be read of it has been moved. The oldest such file may be deleted for room.
  kDamaged,
  // It holds something that is nowhere else. Never deleted.
  kKept,
  // It is not a store. Never deleted.
  kForeign,
};

struct SetAsideFile {
  // Its log, if it had one, is `path`-wal.
  std::string path;
  Aside aside = Aside::kDamaged;
  // Size with the log.
  uint64_t bytes = 0;
};

// Lists the files that were set aside from the store at `path`, oldest first.
std::vector<SetAsideFile> ListSetAside(const std::string& path);

struct SetAsideUsage {
  uint64_t files = 0;
  uint64_t bytes = 0;
};
SetAsideUsage UsageOf(const std::vector<SetAsideFile>& files);

// Returns the path at which the new store is to be built, and deletes what an earlier attempt left
// there.
Result<std::string> BeginReplacement(const std::string& path);

// Returns a path beside `path` that is free for a file set aside at that time, and for its log.
std::string FreeAsidePath(const std::string& path, Aside aside, WallTime now);

// Puts the new store in the place of the file at `path`, which is set aside as `aside_path` with
// its log, unchanged. FinishReplacement completes it after a crash. REQUIRES: the new store is
// closed and synced; FreeAsidePath returned `aside_path`.
Status Replace(const std::string& path, const std::string& aside_path);

// Gives a file that was set aside, and its log, the name for another reason, unless it has it or is
// missing. Returns its path then.
Result<std::string> RenameAside(const std::string& aside_path, Aside aside);

// Completes a replacement that a crash has interrupted. To be called before a store is opened.
Status FinishReplacement(const std::string& path);

inline constexpr size_t kMaxSetAside = 3;
// Deletes the oldest files of kDamaged until at most kMaxSetAside files and `max_bytes` remain, but
// never the newest one. Returns the paths of the deleted files.
std::vector<std::string> TrimSetAside(const std::string& path, uint64_t max_bytes);

}  // namespace tidegate
