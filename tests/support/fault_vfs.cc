#include "tests/support/fault_vfs.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

namespace tidegate {
namespace {

constexpr uint64_t kBlockBytes = 512;

int DefaultCode(FaultVfs::Call call) {
  switch (call) {
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
    case FaultVfs::Call::kRead:
      return SQLITE_IOERR_READ;
  }
  return SQLITE_IOERR;
}

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::string contents(static_cast<size_t>(std::max<std::streamoff>(file.tellg(), 0)), '\0');
  file.seekg(0).read(contents.data(), static_cast<std::streamsize>(contents.size()));
  return contents;
}

// 0: there is no such file.
uint64_t InodeOf(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

}  // namespace

class FaultFile final : public VfsFile {
 public:
  FaultFile(sqlite3_file* real, FaultVfs& vfs, FaultMedium* medium, uint64_t inode)
      : VfsFile(real), vfs_(vfs), medium_(medium), inode_(inode) {}

  int Read(void* data, int size, sqlite3_int64 offset) override {
    if (vfs_.IsLost(inode_, static_cast<uint64_t>(offset), static_cast<uint64_t>(size))) {
      return SQLITE_IOERR_READ;
    }
    const int code = vfs_.Judge(FaultVfs::Call::kRead);
    return code != SQLITE_OK ? code : VfsFile::Read(data, size, offset);
  }
  int Write(const void* data, int size, sqlite3_int64 offset) override {
    const std::string_view bytes(static_cast<const char*>(data), static_cast<size_t>(size));
    const bool had_power = !vfs_.power_cut_;
    if (const int code = vfs_.Judge(FaultVfs::Call::kWrite); code != SQLITE_OK) {
      if (had_power) WritePart(bytes, offset);
      return code;
    }
    if (medium_ != nullptr) medium_->Write(static_cast<uint64_t>(offset), bytes);
    return VfsFile::Write(data, size, offset);
  }
  int Truncate(sqlite3_int64 size) override {
    if (const int code = vfs_.Judge(FaultVfs::Call::kTruncate); code != SQLITE_OK) return code;
    if (medium_ != nullptr) medium_->Truncate(static_cast<uint64_t>(size));
    return VfsFile::Truncate(size);
  }
  int Sync(int flags) override {
    (void)flags;  // Nothing needs to reach the real disk.
    const bool had_power = !vfs_.power_cut_;
    if (const int code = vfs_.Judge(FaultVfs::Call::kSync); code != SQLITE_OK) {
      if (had_power && medium_ != nullptr) medium_->FailSync(vfs_.random_);
      return code;
    }
    if (medium_ != nullptr) medium_->Sync();
    vfs_.deleted_.clear();
    return SQLITE_OK;
  }

 private:
  // A write that fails has often written its beginning.
  void WritePart(std::string_view bytes, sqlite3_int64 offset) {
    const auto part = bytes.substr(0, vfs_.random_() % (bytes.size() + 1));
    if (part.empty()) return;
    if (medium_ != nullptr) medium_->Write(static_cast<uint64_t>(offset), part);
    VfsFile::Write(part.data(), static_cast<int>(part.size()), offset);
  }

  FaultVfs& vfs_;
  FaultMedium* medium_;  // Null for a temporary file.
  uint64_t inode_;
};

void FaultVfs::FailNth(uint64_t n, std::optional<Call> call, int code, bool for_ever) {
  fail_in_ = n;
  fail_call_ = call;
  fail_code_ = code;
  fail_for_ever_ = for_ever;
  cut_when_failing_ = false;
  failed_ = false;
}

void FaultVfs::CutPower() {
  power_cut_ = true;
}

void FaultVfs::CutPowerAt(uint64_t n) {
  FailNth(n);
  cut_when_failing_ = true;
}

void FaultVfs::Heal() {
  fail_in_ = 0;
  power_cut_ = false;
}

void FaultVfs::LoseBlock(const std::string& path, uint64_t block, uint64_t times) {
  lost_blocks_[{InodeOf(path), block}] = times;
}

bool FaultVfs::IsLost(uint64_t inode, uint64_t offset, uint64_t size) {
  const auto found = lost_blocks_.lower_bound({inode, offset / kBlockBytes});
  if (found == lost_blocks_.end() || found->first.first != inode ||
      found->first.second * kBlockBytes >= offset + size) {
    return false;
  }
  if (found->second == 0) return true;
  --found->second;
  return false;
}

uint64_t FaultVfs::calls(std::optional<Call> call) const {
  uint64_t count = 0;
  for (const auto& [kind, calls] : calls_) {
    if (call ? kind == *call : kind != Call::kRead) count += calls;
  }
  return count;
}

int FaultVfs::Judge(Call call) {
  ++calls_[call];
  if (power_cut_) return DefaultCode(call);
  if (fail_in_ == 0 || (fail_call_ ? *fail_call_ != call : call == Call::kRead)) return SQLITE_OK;
  if (fail_in_ > 1) {
    --fail_in_;
    return SQLITE_OK;
  }
  failed_ = true;
  power_cut_ = cut_when_failing_;
  if (!fail_for_ever_) fail_in_ = 0;
  return fail_code_ != 0 ? fail_code_ : DefaultCode(call);
}

int FaultVfs::BeforeOpen(const char*, int) {
  return Judge(Call::kOpen);
}

int FaultVfs::BeforeDelete(const char* path) {
  if (const int code = Judge(Call::kDelete); code != SQLITE_OK) return code;
  if (const auto known = media_.find(path); known != media_.end()) {
    deleted_.insert_or_assign(known->first, std::move(known->second));
    media_.erase(known);
  }
  return SQLITE_OK;
}

std::unique_ptr<VfsFile> FaultVfs::Wrap(sqlite3_file* real, const char* path, int) {
  FaultMedium* medium = nullptr;
  if (path != nullptr) {
    const uint64_t inode = InodeOf(path);
    auto known = media_.find(path);
    if (known != media_.end() && known->second.inode() != inode) {
      media_.erase(known);  // Another file has got its name by a rename.
      known = media_.end();
    }
    if (known == media_.end()) known = media_.try_emplace(path, Contents(path), inode).first;
    medium = &known->second;
  }
  return std::make_unique<FaultFile>(real, *this, medium, path != nullptr ? InodeOf(path) : 0);
}

void FaultVfs::RestorePower(uint64_t seed) {
  Heal();
  std::mt19937_64 random(seed);
  // One power cut, one kind of damage. Only the log keeps commits apart by whole blocks.
  const auto loss = FaultMedium::PowerLoss::Draw(random, true);
  const auto put_back = [&](const std::string& path, FaultMedium& medium) {
    auto own = loss;
    own.ruins_blocks = loss.ruins_blocks && path.ends_with("-wal");
    std::ofstream(path, std::ios::binary | std::ios::trunc) << medium.Lose(own, random);
  };
  for (auto& [path, medium] : media_) {
    if (InodeOf(path) == medium.inode()) put_back(path, medium);
    std::filesystem::remove(path + "-shm");
  }
  for (auto& [path, medium] : deleted_) {
    if (InodeOf(path) == 0 && random() % 2 == 0) put_back(path, medium);
  }
  media_.clear();
  deleted_.clear();
}

}  // namespace tidegate
