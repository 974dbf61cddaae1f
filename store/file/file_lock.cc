#include "store/file/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tidegate {

Result<FileLock> FileLock::Acquire(const std::string& path) {
  FileLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (lock.fd_ < 0) {
    return Error{ErrorCode::kUnavailable, fmt::format("create {}: {}", path, std::strerror(errno))};
  }
  if (flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return Error{ErrorCode::kRejected,
                   fmt::format("lock {}: another agent uses this store", path)};
    }
    return Error{ErrorCode::kUnavailable, fmt::format("lock {}: {}", path, std::strerror(errno))};
  }
  return lock;
}

bool FileLock::IsHeld(const std::string& path) {
  const FileLock lock(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  return lock.fd_ >= 0 && flock(lock.fd_, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

FileLock::~FileLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace tidegate
