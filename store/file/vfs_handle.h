// A SQLite VFS in C++ that wraps another one: every call is passed on unchanged unless a subclass
// overrides it. It is registered under its name while it lives. REQUIRES: every database opened
// through it is closed before it is destroyed. One thread.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>

namespace tidegate {

// One open file. The calls and their return codes are those of sqlite3_io_methods.
class VfsFile {
 public:
  explicit VfsFile(sqlite3_file* real) : real_(real) {}
  virtual ~VfsFile() = default;

  virtual int Read(void* data, int size, sqlite3_int64 offset) {
    return real_->pMethods->xRead(real_, data, size, offset);
  }
  virtual int Write(const void* data, int size, sqlite3_int64 offset) {
    return real_->pMethods->xWrite(real_, data, size, offset);
  }
  virtual int Truncate(sqlite3_int64 size) { return real_->pMethods->xTruncate(real_, size); }
  virtual int Sync(int flags) { return real_->pMethods->xSync(real_, flags); }
  virtual int ShmMap(int page, int size, int extend, void volatile** out) {
    return real_->pMethods->xShmMap(real_, page, size, extend, out);
  }
  virtual int SectorSize() { return real_->pMethods->xSectorSize(real_); }
  virtual int DeviceCharacteristics() { return real_->pMethods->xDeviceCharacteristics(real_); }

  sqlite3_file* real() const { return real_; }

 private:
  // Lies in the memory that SQLite allocated for the file, after the pointer to this object.
  sqlite3_file* real_;
};

class Vfs {
 public:
  // `base` names the VFS underneath; empty is SQLite's default. REQUIRES: `name` is not registered,
  // `base` is.
  Vfs(std::string name, const std::string& base);
  virtual ~Vfs();
  Vfs(const Vfs&) = delete;
  Vfs& operator=(const Vfs&) = delete;

  const std::string& name() const { return name_; }

  // Called before a file is opened or deleted; any code but SQLITE_OK is returned instead. `path`
  // is null for temporary files.
  virtual int BeforeOpen(const char* path, int flags);
  virtual int BeforeDelete(const char* path);
  // Called after a file has been opened; returns its wrapper, not null.
  virtual std::unique_ptr<VfsFile> Wrap(sqlite3_file* real, const char* path, int flags) = 0;

 private:
  friend struct VfsCalls;

  // Files that were opened through this VFS and not closed yet.
  int open_files_ = 0;
  std::string name_;
  sqlite3_vfs* base_;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace tidegate
