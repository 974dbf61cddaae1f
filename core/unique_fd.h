// The one owner of a file descriptor: closes it when the owner ends. An owner that was moved from
// has no descriptor. One thread at a time.
#pragma once

#include <unistd.h>

#include <utility>

namespace tidegate {

class UniqueFd {
 public:
  UniqueFd() = default;
  // Takes ownership of `fd`; a negative one, as open(2) returns for an error, is no descriptor.
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  // Closes the descriptor that this owner had.
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    const UniqueFd former(std::exchange(fd_, other.Release()));
    return *this;
  }

  // -1 if there is none.
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  // Returns the descriptor, which the caller closes from now on.
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

}  // namespace tidegate
