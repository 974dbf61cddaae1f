#include "store/flash_vfs.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "store/file_space.h"

namespace tidegate {
namespace {

class FlashFile final : public VfsFile {
 public:
  FlashFile(sqlite3_file* real, std::string path, bool is_log, FlashVfs::Counters& counters)
      : VfsFile(real), path_(std::move(path)), is_log_(is_log), counters_(counters) {}

  int Write(const void* data, int size, sqlite3_int64 offset) override {
    counters_.bytes_written += static_cast<uint64_t>(size);
    return VfsFile::Write(data, size, offset);
  }
  // An emptied log keeps its blocks; without its header it counts as empty.
  int Truncate(sqlite3_int64 size) override {
    if (!is_log_ || size != 0) return VfsFile::Truncate(size);
    constexpr char kNoHeader[32] = {};
    return Write(kNoHeader, sizeof kNoHeader, 0);
  }
  int Sync(int flags) override {
    ++counters_.syncs;
    return VfsFile::Sync(flags);
  }
  // SQLite writes one byte into each page of the log's index and then stores through the mapping,
  // which is a SIGBUS where the block is smaller than the page and the disk is full.
  int ShmMap(int page, int size, int extend, void volatile** out) override {
    const int code = VfsFile::ShmMap(page, size, extend, out);
    if (code != SQLITE_OK || *out == nullptr || extend == 0) return code;
    if (!index_) {
      auto index = FileSpace::Open(path_ + "-shm");
      if (index.ok()) index_.emplace(*std::move(index));
    }
    const auto bytes = static_cast<uint64_t>(page + 1) * static_cast<uint64_t>(size);
    if (index_ && index_->Reserve(bytes, FileSpace::Size::kGrow).ok()) return SQLITE_OK;
    *out = nullptr;
    return SQLITE_IOERR_SHMSIZE;
  }
  // SQLite pads commits to the log's sector, but dirties whole sectors of the database: hence two
  // answers.
  int SectorSize() override { return is_log_ ? FlashVfs::kBlockBytes : 512; }
  int DeviceCharacteristics() override {
    return VfsFile::DeviceCharacteristics() & ~SQLITE_IOCAP_POWERSAFE_OVERWRITE;
  }

 private:
  std::string path_;
  bool is_log_;
  std::optional<FileSpace> index_;  // Closed after the database, as FileSpace requires.
  FlashVfs::Counters& counters_;
};

}  // namespace

// The address makes the name unique: several stores may live in one process.
FlashVfs::FlashVfs(const std::string& base)
    : Vfs(fmt::format("tidegate-flash-{}", fmt::ptr(this)), base) {}

std::unique_ptr<VfsFile> FlashVfs::Wrap(sqlite3_file* real, const char* path, int flags) {
  return std::make_unique<FlashFile>(real, path == nullptr ? "" : path,
                                     (flags & SQLITE_OPEN_WAL) != 0, counters_);
}

}  // namespace tidegate
