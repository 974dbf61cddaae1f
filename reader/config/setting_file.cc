#include "reader/config/setting_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/unique_fd.h"

namespace tidegate::reader {

FileStamp StampOf(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return {};
  constexpr int64_t kNanoseconds = 1'000'000'000;
  return {.inode = file.st_ino,
          .bytes = file.st_size,
          .modified_ns = file.st_mtim.tv_sec * kNanoseconds + file.st_mtim.tv_nsec};
}

Result<std::string> ReadSettingFile(const std::string& path) {
  const auto failed = [&](std::string_view cause) {
    return Error{ErrorCode::kInvalid, fmt::format("read {}: {}", path, cause)};
  };
  // O_NONBLOCK: opening a FIFO of that name must not block the process.
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return failed(std::strerror(errno));
  struct stat file {};
  if (::fstat(fd.get(), &file) != 0) return failed(std::strerror(errno));
  if (!S_ISREG(file.st_mode)) return failed("not a regular file");
  std::string content;
  std::string chunk(64 * 1024, '\0');
  for (;;) {
    const ssize_t count = ::read(fd.get(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed(std::strerror(errno));
    if (count == 0) return content;
    content.append(chunk, 0, static_cast<size_t>(count));
    if (content.size() > kMaxSettingFileBytes) return failed("over 16 MiB");
  }
}

}  // namespace tidegate::reader
