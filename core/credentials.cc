#include "core/credentials.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "core/unique_fd.h"

namespace tidegate {

namespace {
bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

// "." and ".." consist of allowed characters, but name folders.
bool IsName(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && std::ranges::all_of(name, IsNameChar);
}

Error CannotRead(std::string_view name, std::string_view cause) {
  return {ErrorCode::kInvalid, fmt::format("read credential {}: {}", name, cause)};
}
}  // namespace

Credentials Credentials::FromEnvironment() {
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  return Credentials(folder != nullptr ? folder : "");
}

Result<std::optional<std::string>> Credentials::Read(std::string_view name) const {
  if (!IsName(name)) {
    return Error{ErrorCode::kInvalid, "read credential: a name has only A-Z a-z 0-9 . _ -"};
  }
  if (folder_.empty()) return std::optional<std::string>();
  // O_NONBLOCK: opening a FIFO of that name must not block the process.
  const UniqueFd fd(
      ::open(fmt::format("{}/{}", folder_, name).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) {
    if (errno == ENOENT) return std::optional<std::string>();
    return CannotRead(name, std::strerror(errno));
  }
  struct stat file {};
  if (::fstat(fd.get(), &file) != 0) return CannotRead(name, std::strerror(errno));
  if (!S_ISREG(file.st_mode)) return CannotRead(name, "not a regular file");
  std::string content(kMaxBytes + 1, '\0');
  size_t size = 0;
  while (size < content.size()) {
    const ssize_t count = ::read(fd.get(), content.data() + size, content.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return CannotRead(name, std::strerror(errno));
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  if (size > kMaxBytes) return CannotRead(name, "over 64 KiB");
  content.resize(size);
  if (content.ends_with('\n')) content.pop_back();
  return std::optional<std::string>(std::move(content));
}

std::optional<std::string> Credentials::Path(std::string_view name) const {
  if (folder_.empty() || !IsName(name)) return std::nullopt;
  std::string path = fmt::format("{}/{}", folder_, name);
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
  return path;
}

std::vector<std::string> Credentials::Names() const {
  std::vector<std::string> names;
  std::error_code error;
  if (folder_.empty()) return names;
  for (auto entry = std::filesystem::directory_iterator(folder_, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (IsName(name)) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace tidegate
