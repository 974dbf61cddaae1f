// Blocks that a file owns before it is written, so that a disk that others have filled does not
// stop what the store must still write. Private to store/; one thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "core/result.h"

namespace tidegate {

class FileSpace {
 public:
  enum class Size { kKeep, kGrow };  // Of the file as others see it.

  // kUnavailable: cannot be opened. The file descriptor stays open as long as the object lives.
  // REQUIRES: it outlives the handle that locks the file, because closing any descriptor of a file
  // gives up the process's locks on it (fcntl(2)).
  static Result<FileSpace> Open(const std::string& path);

  FileSpace(FileSpace&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileSpace& operator=(FileSpace&&) = delete;
  ~FileSpace();

  // Makes the first so many bytes the file's own, in a way that survives a power cut. kFull: the
  // disk has no room. OK on a file system that cannot promise room (FAT, NFS).
  Status Reserve(uint64_t bytes, Size size);

 private:
  explicit FileSpace(int fd) : fd_(fd) {}

  int fd_;
};

}  // namespace tidegate
