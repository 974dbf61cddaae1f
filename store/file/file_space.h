// Reserves blocks for a file before it is written, so that a disk that others have filled does not
// stop what the store must still write. Private to store/; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "core/result.h"

namespace tidegate {

class FileSpace {
 public:
  // What happens to the file's size as others see it.
  enum class Size { kKeep, kGrow };

  // Opens the file and keeps it open as long as the object lives. kUnavailable: it cannot be
  // opened. REQUIRES: the object outlives the handle that locks the file, because closing any
  // descriptor of a file releases the process's locks on it (fcntl(2)).
  static Result<FileSpace> Open(const std::string& path);

  FileSpace(FileSpace&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileSpace& operator=(FileSpace&&) = delete;
  ~FileSpace();

  // Reserves blocks for the first `bytes` of the file, in a way that survives a power cut. kFull:
  // the disk has no room. Returns OK on a file system that cannot reserve (FAT, NFS).
  Status Reserve(uint64_t bytes, Size size);

 private:
  explicit FileSpace(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace tidegate
