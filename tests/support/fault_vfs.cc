#include "tests/support/fault_vfs.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <utility>

namespace tidegate {
namespace {

constexpr uint64_t kSectorBytes = 512;

int DefaultCode(FaultVfs::Call call) {
  switch (call) {
    case FaultVfs::Call::kRead:
      return SQLITE_IOERR_READ;
    case FaultVfs::Call::kWrite:
      return SQLITE_IOERR_WRITE;
    case FaultVfs::Call::kSync:
      return SQLITE_IOERR_FSYNC;
    case FaultVfs::Call::kOpen:
      return SQLITE_CANTOPEN;
    case FaultVfs::Call::kTruncate:
      return SQLITE_IOERR_TRUNCATE;
    case FaultVfs::Call::kDelete:
      return SQLITE_IOERR_DELETE;
  }
  return SQLITE_IOERR;
}

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

uint64_t InodeOf(const char* path) {
  struct stat info {};
  return stat(path, &info) == 0 ? info.st_ino : 0;
}

void PutAt(std::string& contents, uint64_t offset, std::string_view bytes) {
  if (contents.size() < offset + bytes.size()) contents.resize(offset + bytes.size());
  std::copy(bytes.begin(), bytes.end(), contents.begin() + static_cast<std::ptrdiff_t>(offset));
}

}  // namespace

class FaultFile final : public VfsFile {
 public:
  FaultFile(sqlite3_file* real, FaultVfs& vfs, FaultVfs::Medium* medium, uint64_t inode)
      : VfsFile(real), vfs_(vfs), medium_(medium), inode_(inode) {}

  int Read(void* data, int size, sqlite3_int64 offset) override {
    if (vfs_.IsLost(inode_, static_cast<uint64_t>(offset), static_cast<uint64_t>(size))) {
      return SQLITE_IOERR_READ;
    }
    if (vfs_.fail_call_ == FaultVfs::Call::kRead) {
      if (const int code = vfs_.Judge(FaultVfs::Call::kRead); code != SQLITE_OK) return code;
    }
    return VfsFile::Read(data, size, offset);
  }

  int Write(const void* data, int size, sqlite3_int64 offset) override {
    if (const int code = vfs_.Judge(FaultVfs::Call::kWrite); code != SQLITE_OK) return code;
    const auto* const bytes = static_cast<const char*>(data);
    if (medium_ != nullptr) {
      medium_->unsynced.push_back({static_cast<uint64_t>(offset), {bytes, bytes + size}, false});
    }
    return VfsFile::Write(data, size, offset);
  }
  int Truncate(sqlite3_int64 size) override {
    if (const int code = vfs_.Judge(FaultVfs::Call::kTruncate); code != SQLITE_OK) return code;
    if (medium_ != nullptr) medium_->unsynced.push_back({static_cast<uint64_t>(size), {}, true});
    return VfsFile::Truncate(size);
  }
  int Sync(int flags) override {
    if (const int code = vfs_.Judge(FaultVfs::Call::kSync); code != SQLITE_OK) return code;
    if (medium_ != nullptr) {
      for (const auto& write : medium_->unsynced) {
        if (write.is_truncate) {
          medium_->synced.resize(write.offset);
        } else {
          PutAt(medium_->synced, write.offset, write.bytes);
        }
      }
      medium_->unsynced.clear();
    }
    (void)flags;  // Nothing needs to reach the real disk.
    return SQLITE_OK;
  }

 private:
  FaultVfs& vfs_;
  FaultVfs::Medium* medium_;  // Null for a temporary file.
  uint64_t inode_;
};

void FaultVfs::FailNth(uint64_t n, std::optional<Call> call, int code, bool for_ever) {
  fail_in_ = n;
  fail_call_ = call;
  fail_code_ = code;
  fail_for_ever_ = for_ever;
  failed_ = false;
}

void FaultVfs::CutPower() {
  power_cut_ = true;
}

void FaultVfs::Heal() {
  fail_in_ = 0;
  power_cut_ = false;
}

void FaultVfs::LoseBlock(const std::string& path, uint64_t block) {
  lost_blocks_.emplace(InodeOf(path.c_str()), block);
}

bool FaultVfs::IsLost(uint64_t inode, uint64_t offset, uint64_t size) const {
  const auto lost = lost_blocks_.lower_bound({inode, offset / kSectorBytes});
  return lost != lost_blocks_.end() && lost->first == inode &&
         lost->second * kSectorBytes < offset + size;
}

int FaultVfs::Judge(Call call) {
  ++calls_;
  if (power_cut_) return DefaultCode(call);
  if (fail_in_ == 0 || (fail_call_ && *fail_call_ != call)) return SQLITE_OK;
  if (fail_in_ > 1) {
    --fail_in_;
    return SQLITE_OK;
  }
  failed_ = true;
  if (!fail_for_ever_) fail_in_ = 0;
  return fail_code_ != 0 ? fail_code_ : DefaultCode(call);
}

int FaultVfs::BeforeOpen(const char*, int) {
  return Judge(Call::kOpen);
}

int FaultVfs::BeforeDelete(const char* path) {
  if (const int code = Judge(Call::kDelete); code != SQLITE_OK) return code;
  media_.erase(path);
  return SQLITE_OK;
}

std::unique_ptr<VfsFile> FaultVfs::Wrap(sqlite3_file* real, const char* path, int) {
  Medium* medium = nullptr;
  if (path != nullptr) {
    const auto [entry, is_new] = media_.try_emplace(path);
    if (is_new) entry->second.synced = Contents(path);
    medium = &entry->second;
  }
  return std::make_unique<FaultFile>(real, *this, medium, path != nullptr ? InodeOf(path) : 0);
}

void FaultVfs::RestorePower(uint64_t seed) {
  Heal();
  std::mt19937_64 random(seed);
  for (auto& [path, medium] : media_) {
    for (const UnsyncedWrite& write : medium.unsynced) {
      if (write.is_truncate) {
        if (random() % 2 == 0) medium.synced.resize(write.offset);
        continue;
      }
      for (uint64_t at = 0; at < write.bytes.size();) {
        const uint64_t sector_end =
            ((write.offset + at) / kSectorBytes + 1) * kSectorBytes - write.offset;
        const uint64_t size = std::min(sector_end, write.bytes.size()) - at;
        if (random() % 2 == 0) {
          PutAt(medium.synced, write.offset + at, std::string_view(write.bytes).substr(at, size));
        }
        at += size;
      }
    }
    medium.unsynced.clear();
    std::ofstream(path, std::ios::binary | std::ios::trunc) << medium.synced;
    std::filesystem::remove(path + "-shm");
  }
  media_.clear();
}

}  // namespace tidegate
