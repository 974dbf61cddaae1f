// Keeps a second agent away from a store, for as long as the object lives; the kernel releases it
// when the process dies. SQLite's own locks cannot do that: they are free between transactions.
#pragma once

#include <string>
#include <utility>

#include "core/result.h"

namespace tidegate {

class FileLock {
 public:
  // Creates the file if need be. kRejected: somebody else holds it. kUnavailable: it cannot be
  // created.
  static Result<FileLock> Acquire(const std::string& path);
  // Creates nothing.
  static bool IsHeld(const std::string& path);

  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}

  int fd_;
};

// Of the store in that database file.
inline std::string LockPath(const std::string& database_path) {
  return database_path + "-lock";
}

}  // namespace tidegate
