#include "store/salvage/byte_source.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "core/check.h"

namespace tidegate {

bool MemoryBytes::Read(uint64_t offset, std::span<char> out) {
  if (offset > bytes_.size() || out.size() > bytes_.size() - offset) return false;
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
  return true;
}

Result<std::unique_ptr<FileBytes>> FileBytes::Open(const std::string& path, const std::string& vfs,
                                                   bool is_log) {
  sqlite3_vfs* const base = sqlite3_vfs_find(vfs.empty() ? nullptr : vfs.c_str());
  CHECK(base != nullptr, "the VFS is registered");
  if (access(path.c_str(), R_OK) != 0) {
    return Error{ErrorCode::kUnavailable, fmt::format("read {}: {}", path, std::strerror(errno))};
  }
  std::unique_ptr<FileBytes> bytes(new FileBytes);
  // SQLite looks for URI parameters after the name's end.
  bytes->name_ = path + std::string(2, '\0');
  bytes->slot_ = std::make_unique<char[]>(static_cast<size_t>(base->szOsFile));
  const int flags = SQLITE_OPEN_READONLY | (is_log ? SQLITE_OPEN_WAL : SQLITE_OPEN_MAIN_DB);
  int ignored = 0;
  int code = base->xOpen(base, bytes->name_.c_str(), bytes->file(), flags, &ignored);
  if (code == SQLITE_OK) {
    sqlite3_int64 size = 0;
    code = bytes->file()->pMethods->xFileSize(bytes->file(), &size);
    bytes->size_ = static_cast<uint64_t>(std::max<sqlite3_int64>(size, 0));
  }
  if (code == SQLITE_OK) return bytes;
  return Error{ErrorCode::kUnavailable, fmt::format("read {}: {}", path, sqlite3_errstr(code))};
}

FileBytes::~FileBytes() {
  if (slot_ != nullptr && file()->pMethods != nullptr) file()->pMethods->xClose(file());
}

bool FileBytes::Read(uint64_t offset, std::span<char> out) {
  if (offset > size_ || out.size() > size_ - offset || out.size() > INT_MAX) return false;
  // Twice: a worn medium may return on the second read what it did not on the first.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (file()->pMethods->xRead(file(), out.data(), static_cast<int>(out.size()),
                                static_cast<sqlite3_int64>(offset)) == SQLITE_OK) {
      return true;
    }
  }
  return false;
}

}  // namespace tidegate
