#include "drivers/mqtt/channel/library_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tidegate {
namespace {
constexpr size_t kReadBytes = 16'384;
}  // namespace

Result<UniqueFd> LibrarySocket::Replace(int library_fd) {
  const auto failed = [] {
    return Error{ErrorCode::kUnavailable,
                 std::string("make a socket pair: ") + std::strerror(errno)};
  };
  UniqueFd connection(::fcntl(library_fd, F_DUPFD_CLOEXEC, 0));
  if (!connection.valid()) return failed();
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return failed();
  }
  ours_ = UniqueFd(pair[0]);
  const UniqueFd theirs(pair[1]);
  if (::dup3(theirs.get(), library_fd, O_CLOEXEC) < 0) return failed();
  return connection;
}

size_t LibrarySocket::ToLibrary(std::string_view bytes) const {
  const ssize_t count = ::send(ours_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return count > 0 ? static_cast<size_t>(count) : 0;
}

bool LibrarySocket::FromLibrary(std::string& out) const {
  std::array<char, kReadBytes> buffer;
  const ssize_t count = ::recv(ours_.get(), buffer.data(), buffer.size(), 0);
  if (count <= 0) return false;
  out.append(buffer.data(), static_cast<size_t>(count));
  return true;
}

}  // namespace tidegate
