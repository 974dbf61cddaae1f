#include "store/file/file_space.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/check.h"

namespace tidegate {

Result<FileSpace> FileSpace::Open(const std::string& path) {
  FileSpace space(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (space.fd_ >= 0) return space;
  return Error{ErrorCode::kUnavailable, fmt::format("open {}: {}", path, std::strerror(errno))};
}

FileSpace::~FileSpace() {
  if (fd_ >= 0) close(fd_);
}

Status FileSpace::Reserve(uint64_t bytes, Size size) {
  CHECK(fd_ >= 0, "the file is open");
  CHECK(bytes > 0, "a reservation has a size");
  const int mode = size == Size::kKeep ? FALLOC_FL_KEEP_SIZE : 0;
  // Not posix_fallocate, which writes where the file system cannot reserve.
  while (fallocate(fd_, mode, 0, static_cast<off_t>(bytes)) != 0) {
    if (errno == EINTR) continue;
    if (errno == ENOSPC || errno == EDQUOT) {
      return Error{ErrorCode::kFull,
                   fmt::format("reserve {} bytes: {}", bytes, std::strerror(errno))};
    }
    return {};
  }
  if (fdatasync(fd_) == 0) return {};
  return Error{ErrorCode::kUnavailable,
               fmt::format("reserve {} bytes: {}", bytes, std::strerror(errno))};
}

}  // namespace tidegate
