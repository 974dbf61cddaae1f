#include "store/file/log_renewal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace tidegate {
namespace {

constexpr size_t kLogHeaderBytes = 32;
// https://www.sqlite.org/fileformat2.html, "Lock-Byte Page": whoever has the database open holds a
// part of these.
constexpr off_t kSharedLock = 0x40000002;
constexpr off_t kSharedLockBytes = 510;

class File {
 public:
  File(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0640)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

bool HasReader(const std::string& path) {
  const File database(path, O_RDONLY);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = kSharedLock;
  lock.l_len = kSharedLockBytes;
  return database.fd() >= 0 && fcntl(database.fd(), F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool HoldsFrames(const File& log) {
  std::array<char, kLogHeaderBytes> header;
  if (log.fd() < 0 || pread(log.fd(), header.data(), header.size(), 0) != kLogHeaderBytes)
    return false;
  return std::ranges::any_of(header, [](char byte) { return byte != 0; });
}

// As SQLite made it.
bool TakeMode(const File& from, const File& to) {
  struct stat info {};
  return fstat(from.fd(), &info) == 0 && fchmod(to.fd(), info.st_mode & 0777) == 0;
}

bool WriteAll(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t written = write(fd, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    data += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

enum class Copied { kYes, kUnreadable, kFailed };

Copied Copy(const File& from, const File& to) {
  std::array<char, 65536> block;
  for (;;) {
    const ssize_t bytes = read(from.fd(), block.data(), block.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return Copied::kUnreadable;
    if (bytes == 0) return fsync(to.fd()) == 0 ? Copied::kYes : Copied::kFailed;
    if (!WriteAll(to.fd(), block.data(), static_cast<size_t>(bytes))) return Copied::kFailed;
  }
}

// The name must be on the medium before the database is written from the copy.
bool SyncFolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const File file(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
  return file.fd() >= 0 && fsync(file.fd()) == 0;
}

}  // namespace

Status RenewLog(const std::string& path) {
  const std::string log = path + "-wal";
  const std::string copy = log + ".copy";
  const File from(log, O_RDONLY);
  if (!HoldsFrames(from) || HasReader(path)) return {};
  const File to(copy, O_WRONLY | O_CREAT | O_TRUNC);
  const bool is_ready = to.fd() >= 0 && TakeMode(from, to);
  const Copied copied = is_ready ? Copy(from, to) : Copied::kFailed;
  if (copied == Copied::kYes && rename(copy.c_str(), log.c_str()) == 0 && SyncFolderOf(path))
    return {};
  const int code = errno;
  unlink(copy.c_str());
  if (copied == Copied::kUnreadable || code == ENOSPC || code == EDQUOT) return {};
  return Error{ErrorCode::kUnavailable, fmt::format("copy {}: {}", log, std::strerror(code))};
}

}  // namespace tidegate
