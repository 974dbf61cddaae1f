#include "store/file/vfs_handle.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate {
namespace {

// What SQLite allocates for a file; the base's own part follows directly.
struct FileSlot {
  sqlite3_file base;
  VfsFile* file;
  int* open_files;
};

VfsFile& FileOf(sqlite3_file* file) {
  return *reinterpret_cast<FileSlot*>(file)->file;
}
sqlite3_file* RealOf(sqlite3_file* file) {
  return FileOf(file).real();
}
Vfs& SelfOf(sqlite3_vfs* vfs) {
  return *static_cast<Vfs*>(vfs->pAppData);
}

int Close(sqlite3_file* file) {
  // Takes back what Open released into the slot.
  const std::unique_ptr<VfsFile> owned(&FileOf(file));
  int& open_files = *reinterpret_cast<FileSlot*>(file)->open_files;
  CHECK(open_files > 0, "each open file is counted");
  --open_files;
  return owned->real()->pMethods->xClose(owned->real());
}
int Read(sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
  return FileOf(file).Read(data, size, offset);
}
int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  return FileOf(file).Write(data, size, offset);
}
int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  return FileOf(file).Truncate(size);
}
int Sync(sqlite3_file* file, int flags) {
  return FileOf(file).Sync(flags);
}
int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  return RealOf(file)->pMethods->xFileSize(RealOf(file), size);
}
int Lock(sqlite3_file* file, int level) {
  return RealOf(file)->pMethods->xLock(RealOf(file), level);
}
int Unlock(sqlite3_file* file, int level) {
  return RealOf(file)->pMethods->xUnlock(RealOf(file), level);
}
int CheckReservedLock(sqlite3_file* file, int* out) {
  return RealOf(file)->pMethods->xCheckReservedLock(RealOf(file), out);
}
int FileControl(sqlite3_file* file, int op, void* arg) {
  return RealOf(file)->pMethods->xFileControl(RealOf(file), op, arg);
}
int SectorSize(sqlite3_file* file) {
  return FileOf(file).SectorSize();
}
int DeviceCharacteristics(sqlite3_file* file) {
  return FileOf(file).DeviceCharacteristics();
}
int ShmMap(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  return FileOf(file).ShmMap(page, size, extend, out);
}
int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  return RealOf(file)->pMethods->xShmLock(RealOf(file), offset, count, flags);
}
void ShmBarrier(sqlite3_file* file) {
  RealOf(file)->pMethods->xShmBarrier(RealOf(file));
}
int ShmUnmap(sqlite3_file* file, int remove) {
  return RealOf(file)->pMethods->xShmUnmap(RealOf(file), remove);
}

// Version 2: shared memory for the write-ahead log, no memory-mapped pages.
constexpr sqlite3_io_methods kMethods = {2,
                                         Close,
                                         Read,
                                         Write,
                                         Truncate,
                                         Sync,
                                         FileSize,
                                         Lock,
                                         Unlock,
                                         CheckReservedLock,
                                         FileControl,
                                         SectorSize,
                                         DeviceCharacteristics,
                                         ShmMap,
                                         ShmLock,
                                         ShmBarrier,
                                         ShmUnmap,
                                         nullptr,
                                         nullptr};

}  // namespace

// The calls that SQLite makes on the shim, each passed on to the base.
struct VfsCalls {
  static sqlite3_vfs* Base(sqlite3_vfs* vfs) { return SelfOf(vfs).base_; }

  static int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags,
                  int* out_flags) {
    auto* const slot = reinterpret_cast<FileSlot*>(file);
    slot->base.pMethods = nullptr;
    if (const int code = SelfOf(vfs).BeforeOpen(path, flags); code != SQLITE_OK) return code;
    auto* const real = reinterpret_cast<sqlite3_file*>(slot + 1);
    const int code = Base(vfs)->xOpen(Base(vfs), path, real, flags, out_flags);
    if (code != SQLITE_OK) {
      if (real->pMethods != nullptr) real->pMethods->xClose(real);
      return code;
    }
    // Close takes it back.
    slot->file = SelfOf(vfs).Wrap(real, path, flags).release();
    CHECK(slot->file != nullptr, "an open file has a wrapper");
    slot->open_files = &SelfOf(vfs).open_files_;
    ++*slot->open_files;
    slot->base.pMethods = &kMethods;
    return SQLITE_OK;
  }
  static int Delete(sqlite3_vfs* vfs, const char* path, int sync_directory) {
    if (const int code = SelfOf(vfs).BeforeDelete(path); code != SQLITE_OK) return code;
    return Base(vfs)->xDelete(Base(vfs), path, sync_directory);
  }
  static int Access(sqlite3_vfs* vfs, const char* path, int flags, int* out) {
    return Base(vfs)->xAccess(Base(vfs), path, flags, out);
  }
  static int FullPathname(sqlite3_vfs* vfs, const char* path, int size, char* out) {
    return Base(vfs)->xFullPathname(Base(vfs), path, size, out);
  }
  static int Randomness(sqlite3_vfs* vfs, int size, char* out) {
    return Base(vfs)->xRandomness(Base(vfs), size, out);
  }
  static int Sleep(sqlite3_vfs* vfs, int microseconds) {
    return Base(vfs)->xSleep(Base(vfs), microseconds);
  }
  static int CurrentTime(sqlite3_vfs* vfs, double* out) {
    return Base(vfs)->xCurrentTime(Base(vfs), out);
  }
  static int GetLastError(sqlite3_vfs* vfs, int size, char* out) {
    return Base(vfs)->xGetLastError(Base(vfs), size, out);
  }
  static int CurrentTimeInt64(sqlite3_vfs* vfs, sqlite3_int64* out) {
    return Base(vfs)->xCurrentTimeInt64(Base(vfs), out);
  }
};

Vfs::Vfs(std::string name, const std::string& base)
    : name_(std::move(name)),
      base_(sqlite3_vfs_find(base.empty() ? nullptr : base.c_str())),
      vfs_(std::make_unique<sqlite3_vfs>()) {
  CHECK(base_ != nullptr && base_->iVersion >= 2, "the VFS underneath is registered");
  CHECK(sqlite3_vfs_find(name_.c_str()) == nullptr, "the name of a VFS is its own");
  vfs_->iVersion = 2;
  vfs_->szOsFile = static_cast<int>(sizeof(FileSlot)) + base_->szOsFile;
  vfs_->mxPathname = base_->mxPathname;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  vfs_->xOpen = VfsCalls::Open;
  vfs_->xDelete = VfsCalls::Delete;
  vfs_->xAccess = VfsCalls::Access;
  vfs_->xFullPathname = VfsCalls::FullPathname;
  vfs_->xRandomness = VfsCalls::Randomness;
  vfs_->xSleep = VfsCalls::Sleep;
  vfs_->xCurrentTime = VfsCalls::CurrentTime;
  vfs_->xGetLastError = VfsCalls::GetLastError;
  vfs_->xCurrentTimeInt64 = VfsCalls::CurrentTimeInt64;
  sqlite3_vfs_register(vfs_.get(), 0);
}

Vfs::~Vfs() {
  CHECK(open_files_ == 0, "every file is closed before its VFS is destroyed");
  sqlite3_vfs_unregister(vfs_.get());
}

int Vfs::BeforeOpen(const char*, int) {
  return SQLITE_OK;
}
int Vfs::BeforeDelete(const char*) {
  return SQLITE_OK;
}

}  // namespace tidegate
