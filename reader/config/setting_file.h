// Files that hold settings which are too long for variables, and which may change while the reader
// runs. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"

namespace tidegate::reader {

inline constexpr size_t kMaxSettingFileBytes = 16 * 1024 * 1024;

// What changes when a file is written or replaced. Equal for a file that is still absent.
struct FileStamp {
  uint64_t inode = 0;
  int64_t bytes = -1;
  int64_t modified_ns = 0;

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
FileStamp StampOf(const std::string& path);

// Returns the content of a regular file. kInvalid: there is none, it cannot be read, or it is over
// kMaxSettingFileBytes. Never waits.
Result<std::string> ReadSettingFile(const std::string& path);

}  // namespace tidegate::reader
