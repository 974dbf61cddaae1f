// The VFS of the store. The log keeps its blocks for good, and every commit ends at a block
// boundary of the log. So a commit never rewrites a flash block that holds an acknowledged commit:
// a power cut cannot tear that one, and the device writes each block once. store/README.md has the
// figures. Private to store/; one thread.
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
  // Bytes written and syncs of all files since the start.
  struct Counters {
    uint64_t bytes_written = 0;
    uint64_t syncs = 0;
  };

  // The smallest unit that a kernel writes and that SD cards and eMMC rewrite in one go.
  static constexpr int kBlockBytes = 4096;

  explicit FlashVfs(const std::string& base);

  // Writes the unsynced bytes of the log at `path` once more, as they read now, and syncs them.
  // After a sync that failed the kernel counts lost pages as clean, and the next sync does not
  // write them; after this call a reader of the log sees what the medium has. Does nothing if every
  // write was synced. REQUIRES: no log is open through this VFS.
  Status WriteUnsyncedAgain(const std::string& path);

  // Forgets the unsynced bytes of the log at `path`, because another file replaced it.
  void ForgetUnsynced(const std::string& path) { unsynced_.erase(path); }

  const Counters& counters() const { return counters_; }

 private:
  friend class FlashFile;
  // Bytes of a log that no sync has covered: begin <= offset < end.
  struct Unsynced {
    uint64_t begin = 0;
    uint64_t end = 0;
  };

  // A deleted log has nothing that could be written again.
  int BeforeDelete(const char* path) override;
  std::unique_ptr<VfsFile> Wrap(sqlite3_file* real, const char* path, int flags) override;

  Counters counters_;
  // By the log's path.
  std::map<std::string, Unsynced> unsynced_;
  int open_logs_ = 0;
};

}  // namespace tidegate
