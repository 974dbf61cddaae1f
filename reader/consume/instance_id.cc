#include "reader/consume/instance_id.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace tidegate::reader {

namespace {
constexpr size_t kDigits = 16;

Error Failed(std::string_view operation, const std::string& path, int code) {
  return {ErrorCode::kUnavailable,
          fmt::format("{} {}: {}", operation, path, std::generic_category().message(code))};
}

std::string HostName() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "host";
  return name.data();
}

// Returns an empty text if the file holds no number.
std::string ReadNumber(int fd) {
  std::array<char, kDigits + 2> text{};
  const ssize_t bytes = ::pread(fd, text.data(), text.size(), 0);
  const std::string_view line(text.data(), bytes > 0 ? static_cast<size_t>(bytes) : 0);
  const std::string_view number = line.substr(0, kDigits);
  const bool whole = line.size() == kDigits + 1 && line.back() == '\n' &&
                     number.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return whole ? std::string(number) : "";
}

std::string NewNumber() {
  uint64_t number = 0;
  // Eight bytes are never interrupted nor short (getrandom(2)).
  (void)!::getrandom(&number, sizeof number, 0);
  return fmt::format("{:016x}", number);
}
}  // namespace

Result<InstanceId> InstanceId::Claim(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.valid()) return Failed("open", path, errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK
               ? Error{ErrorCode::kUnavailable, fmt::format("{}: another process has it", path)}
               : Failed("lock", path, errno);
  }
  std::string number = ReadNumber(file.get());
  if (number.empty()) {
    number = NewNumber();
    const std::string line = number + "\n";
    if (::ftruncate(file.get(), 0) != 0 ||
        ::pwrite(file.get(), line.data(), line.size(), 0) != static_cast<ssize_t>(line.size()))
      return Failed("write", path, errno);
  }
  return InstanceId(std::move(file), HostName() + "-" + number);
}

}  // namespace tidegate::reader
