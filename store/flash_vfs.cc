#include "store/flash_vfs.h"

#include <fmt/format.h>

namespace tidegate {
namespace {

class FlashFile final : public VfsFile {
 public:
  FlashFile(sqlite3_file* real, bool is_log, FlashVfs::Counters& counters)
      : VfsFile(real), is_log_(is_log), counters_(counters) {}

  int Write(const void* data, int size, sqlite3_int64 offset) override {
    counters_.bytes_written += static_cast<uint64_t>(size);
    return VfsFile::Write(data, size, offset);
  }
  int Sync(int flags) override {
    ++counters_.syncs;
    return VfsFile::Sync(flags);
  }
  // SQLite pads commits to the log's sector, but dirties whole sectors of the database: hence two
  // answers.
  int SectorSize() override { return is_log_ ? FlashVfs::kBlockBytes : 512; }
  int DeviceCharacteristics() override {
    return VfsFile::DeviceCharacteristics() & ~SQLITE_IOCAP_POWERSAFE_OVERWRITE;
  }

 private:
  bool is_log_;
  FlashVfs::Counters& counters_;
};

}  // namespace

// The address makes the name unique: several stores may live in one process.
FlashVfs::FlashVfs(const std::string& base)
    : Vfs(fmt::format("tidegate-flash-{}", fmt::ptr(this)), base) {}

std::unique_ptr<VfsFile> FlashVfs::Wrap(sqlite3_file* real, const char*, int flags) {
  return std::make_unique<FlashFile>(real, (flags & SQLITE_OPEN_WAL) != 0, counters_);
}

}  // namespace tidegate
