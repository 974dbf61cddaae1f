// Locks a store against a second agent as long as the object lives; the kernel releases the lock
// when the process dies. SQLite's own locks cannot do that: they are free between transactions. One
// thread.
#pragma once

#include <string>
#include <utility>

#include "core/result.h"

namespace tidegate {

class FileLock {
 public:
  // Creates the lock file if it is missing. kRejected: another process holds the lock.
  // kUnavailable: the file cannot be created.
  static Result<FileLock> Acquire(const std::string& path);
  // Returns true if a process holds the lock. Creates nothing.
  static bool IsHeld(const std::string& path);

  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}

  int fd_;
};

// Returns the path of the lock file of the store in that database file.
inline std::string LockPath(const std::string& database_path) {
  return database_path + "-lock";
}

}  // namespace tidegate
