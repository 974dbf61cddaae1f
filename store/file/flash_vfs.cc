#include "store/file/flash_vfs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/check.h"
#include "store/file/file_space.h"

namespace tidegate {

class FlashFile final : public VfsFile {
 public:
  FlashFile(sqlite3_file* real, std::string path, bool is_log, FlashVfs& vfs)
      : VfsFile(real), path_(std::move(path)), is_log_(is_log), vfs_(vfs) {
    if (is_log_) ++vfs_.open_logs_;
  }
  ~FlashFile() override {
    if (!is_log_) return;
    CHECK(vfs_.open_logs_ > 0, "each open log is counted");
    --vfs_.open_logs_;
  }

  int Write(const void* data, int size, sqlite3_int64 offset) override {
    vfs_.counters_.bytes_written += static_cast<uint64_t>(size);
    if (is_log_) AddUnsynced(static_cast<uint64_t>(offset), static_cast<uint64_t>(size));
    return VfsFile::Write(data, size, offset);
  }
  // An emptied log keeps its blocks; without its header it counts as empty.
  int Truncate(sqlite3_int64 size) override {
    if (!is_log_ || size != 0) return VfsFile::Truncate(size);
    constexpr char kNoHeader[32] = {};
    return Write(kNoHeader, sizeof kNoHeader, 0);
  }
  int Sync(int flags) override {
    ++vfs_.counters_.syncs;
    const int code = VfsFile::Sync(flags);
    if (is_log_ && code == SQLITE_OK) vfs_.unsynced_.erase(path_);
    return code;
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
  void AddUnsynced(uint64_t offset, uint64_t size) {
    auto [known, is_new] = vfs_.unsynced_.try_emplace(path_);
    FlashVfs::Unsynced& span = known->second;
    span.begin = is_new ? offset : std::min(span.begin, offset);
    span.end = std::max(span.end, offset + size);
    CHECK(span.begin <= offset && offset + size <= span.end, "the span covers every write");
  }

  std::string path_;
  bool is_log_;
  std::optional<FileSpace> index_;  // Closed after the database, as FileSpace requires.
  FlashVfs& vfs_;
};

namespace {

// Opens a log without its database.
class OpenLog {
 public:
  OpenLog(const std::string& vfs, const std::string& path) : name_(path + std::string(2, '\0')) {
    sqlite3_vfs* const base = sqlite3_vfs_find(vfs.c_str());
    slot_ = std::make_unique<char[]>(static_cast<size_t>(base->szOsFile));
    int ignored = 0;
    code_ =
        base->xOpen(base, name_.c_str(), get(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL, &ignored);
  }
  ~OpenLog() {
    if (get()->pMethods != nullptr) get()->pMethods->xClose(get());
  }
  OpenLog(const OpenLog&) = delete;
  OpenLog& operator=(const OpenLog&) = delete;

  int code() const { return code_; }
  // Writes the bytes in that range once more, and syncs them.
  int WriteAgain(uint64_t begin, uint64_t end) {
    sqlite3_int64 size = 0;
    int code = get()->pMethods->xFileSize(get(), &size);
    end = std::min(end, static_cast<uint64_t>(size));
    std::array<char, FlashVfs::kBlockBytes> block;
    for (uint64_t at = begin; code == SQLITE_OK && at < end; at += block.size()) {
      const auto bytes = static_cast<int>(std::min<uint64_t>(block.size(), end - at));
      const auto offset = static_cast<sqlite3_int64>(at);
      code = get()->pMethods->xRead(get(), block.data(), bytes, offset);
      if (code == SQLITE_OK) code = get()->pMethods->xWrite(get(), block.data(), bytes, offset);
    }
    return code == SQLITE_OK ? get()->pMethods->xSync(get(), SQLITE_SYNC_NORMAL) : code;
  }

 private:
  sqlite3_file* get() const { return reinterpret_cast<sqlite3_file*>(slot_.get()); }

  std::string name_;  // SQLite looks for URI parameters after its end.
  std::unique_ptr<char[]> slot_;
  int code_ = SQLITE_OK;
};

}  // namespace

// The address makes the name unique: several stores may live in one process.
FlashVfs::FlashVfs(const std::string& base)
    : Vfs(fmt::format("tidegate-flash-{}", fmt::ptr(this)), base) {}

int FlashVfs::BeforeDelete(const char* path) {
  ForgetUnsynced(path);
  return SQLITE_OK;
}

std::unique_ptr<VfsFile> FlashVfs::Wrap(sqlite3_file* real, const char* path, int flags) {
  return std::make_unique<FlashFile>(real, path == nullptr ? "" : path,
                                     (flags & SQLITE_OPEN_WAL) != 0, *this);
}

Status FlashVfs::WriteUnsyncedAgain(const std::string& path) {
  CHECK(open_logs_ == 0, "nobody has a log open that is written again");
  const auto known = unsynced_.find(path);
  if (known == unsynced_.end()) return {};
  const Unsynced span = known->second;
  OpenLog log(name(), path);
  const int code = log.code() == SQLITE_OK ? log.WriteAgain(span.begin, span.end) : log.code();
  if (code == SQLITE_OK) return {};
  return Error{ErrorCode::kUnavailable,
               fmt::format("write {} again: {}", path, sqlite3_errstr(code))};
}

}  // namespace tidegate
