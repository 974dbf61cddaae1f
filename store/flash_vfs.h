// The VFS of the store. It lets the log keep its blocks for good, and makes every commit end at a
// block boundary of the log, so that a commit never rewrites a flash block which already holds an
// acknowledged one: a power cut while the block is written cannot tear it, and the device writes
// each block once. store/README.md has the figures. Private to store/; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "store/vfs_handle.h"

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

  const Counters& counters() const { return counters_; }

 private:
  std::unique_ptr<VfsFile> Wrap(sqlite3_file* real, const char* path, int flags) override;

  Counters counters_;
};

}  // namespace tidegate
