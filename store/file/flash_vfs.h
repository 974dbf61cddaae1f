// The VFS of the store. It lets the log keep its blocks for good, and makes every commit end at a
// block boundary of the log, so that a commit never rewrites a flash block which already holds an
// acknowledged one: a power cut while the block is written cannot tear it, and the device writes
// each block once. store/README.md has the figures. Private to store/; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "core/result.h"
#include "store/file/vfs_handle.h"

namespace tidegate {

class FlashVfs final : public Vfs {
 public:
  // What has gone to files since the start.
  struct Counters {
    uint64_t bytes_written = 0;
    uint64_t syncs = 0;
  };

  // The smallest unit that a kernel writes and that SD cards and eMMC rewrite in one go.
  static constexpr int kBlockBytes = 4096;

  explicit FlashVfs(const std::string& base);

  // After a sync that failed the kernel takes what it did not write for written, and the next sync
  // brings nothing. This writes into the log at `path` once more what is unsynced there, as it
  // reads now, and syncs it: whoever reads the log then sees what the medium has. REQUIRES: nobody
  // has it open.
  Status WriteUnsyncedAgain(const std::string& path);

  // Another file has taken the place of the log at `path`.
  void ForgetUnsynced(const std::string& path) { unsynced_.erase(path); }

  const Counters& counters() const { return counters_; }

 private:
  friend class FlashFile;
  // From the first to behind the last byte of a log that no sync has covered.
  struct Unsynced {
    uint64_t begin = 0;
    uint64_t end = 0;
  };

  // A deleted log has nothing that could be written again.
  int BeforeDelete(const char* path) override;
  std::unique_ptr<VfsFile> Wrap(sqlite3_file* real, const char* path, int flags) override;

  Counters counters_;
  std::map<std::string, Unsynced> unsynced_;  // By the log's path.
};

}  // namespace tidegate
