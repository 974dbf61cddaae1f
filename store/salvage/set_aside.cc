#include "store/salvage/set_aside.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/check.h"

namespace tidegate {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNew = ".new";  // Being built.
constexpr std::string_view kReady =
    ".ready";  // Complete; the name of the file that it replaces follows.
constexpr std::array<std::pair<Aside, std::string_view>, 3> kNames{
    {{Aside::kDamaged, ".damaged-"}, {Aside::kKept, ".kept-"}, {Aside::kForeign, ".foreign-"}}};

Error Failed(std::string_view what, const std::string& path, int code) {
  return {ErrorCode::kUnavailable, fmt::format("{} {}: {}", what, path, std::strerror(code))};
}

// A missing file is no error.
Status Remove(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return Failed("remove", path, errno);
}

Status Rename(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) == 0 || errno == ENOENT) return {};
  return Failed("rename", from, errno);
}

std::string FolderOf(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

Status SyncFolder(const std::string& path) {
  const std::string folder = FolderOf(path);
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  const int code = errno;
  if (fd >= 0) close(fd);
  return synced ? Status() : Failed("sync", folder, code);
}

// Returns what follows `path` and `infix` in the names of files beside it, sorted.
std::vector<std::string> TailsOf(const std::string& path, std::string_view infix) {
  const std::string prefix = fs::path(path).filename().string() + std::string(infix);
  std::vector<std::string> tails;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(FolderOf(path), error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix)) tails.push_back(name.substr(prefix.size()));
  }
  std::ranges::sort(tails);
  return tails;
}

uint64_t SizeOnDisk(const std::string& path) {
  std::error_code missing;
  const auto size = fs::file_size(path, missing);
  return missing ? 0 : size;
}

}  // namespace

std::vector<SetAsideFile> ListSetAside(const std::string& path) {
  std::vector<std::pair<std::string, SetAsideFile>> found;
  for (const auto& [aside, infix] : kNames) {
    for (const std::string& tail : TailsOf(path, infix)) {
      const std::string file = path + std::string(infix) + tail;
      // A log alone is listed under the name of the file that it lacks.
      if (tail.ends_with("-wal") && fs::exists(file.substr(0, file.size() - 4))) continue;
      found.push_back({tail, {file, aside, SizeOnDisk(file) + SizeOnDisk(file + "-wal")}});
    }
  }
  std::ranges::stable_sort(found, {}, [](const auto& file) { return file.first; });
  std::vector<SetAsideFile> files;
  for (auto& [tail, file] : found) files.push_back(std::move(file));
  return files;
}

SetAsideUsage UsageOf(const std::vector<SetAsideFile>& files) {
  SetAsideUsage usage;
  usage.files = files.size();
  for (const SetAsideFile& file : files) usage.bytes += file.bytes;
  return usage;
}

Result<std::string> BeginReplacement(const std::string& path) {
  const std::string file = path + std::string(kNew);
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    if (auto status = Remove(file + suffix); !status.ok()) return status.error();
  }
  return file;
}

// The time in the name lets names sort by age; a number follows if two share a second.
std::string FreeAsidePath(const std::string& path, Aside aside, WallTime now) {
  CHECK(kNames[static_cast<size_t>(aside)].first == aside, "names are in the order of Aside");
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const std::string stem =
      fmt::format("{}{}{:%Y%m%dT%H%M%SZ}", path, kNames[static_cast<size_t>(aside)].second,
                  fmt::gmtime(seconds.time_since_epoch().count()));
  std::string name = stem;
  for (int i = 2; fs::exists(name) || fs::exists(name + "-wal"); ++i) {
    name = fmt::format("{}.{}", stem, i);
  }
  return name;
}

Status Replace(const std::string& path, const std::string& aside_path) {
  CHECK(aside_path.starts_with(path), "a file is set aside beside its store");
  auto status =
      Rename(path + std::string(kNew), path + std::string(kReady) + aside_path.substr(path.size()));
  return status.ok() ? FinishReplacement(path) : status;
}

Result<std::string> RenameAside(const std::string& aside_path, Aside aside) {
  const std::string_view name = kNames[static_cast<size_t>(aside)].second;
  const size_t folder = FolderOf(aside_path).size();
  for (const auto& [other, infix] : kNames) {
    const size_t at = aside_path.rfind(infix);
    if (other == aside || at == std::string::npos || at <= folder) continue;
    const std::string stem = aside_path.substr(0, at) + std::string(name);
    const std::string tail = aside_path.substr(at + infix.size());
    std::string renamed = stem + tail;
    for (int i = 2; fs::exists(renamed) && fs::exists(aside_path); ++i) {
      renamed = fmt::format("{}{}.{}", stem, tail, i);
    }
    auto status = Rename(aside_path + "-wal", renamed + "-wal");
    if (status.ok()) status = Rename(aside_path, renamed);
    if (!status.ok()) return status.error();
    return renamed;
  }
  return aside_path;
}

// Every step may have been done already.
Status FinishReplacement(const std::string& path) {
  for (const std::string& name : TailsOf(path, kReady)) {
    const std::string ready = path + std::string(kReady) + name;
    auto status = Rename(path + "-wal", path + name + "-wal");
    if (status.ok()) status = Rename(path, path + name);
    if (status.ok()) status = Remove(path + "-shm");
    if (status.ok()) status = Rename(path + "-journal", path + name + "-journal");
    if (status.ok()) status = Rename(ready, path);
    // Empty; the store has its own.
    for (const char* suffix : {"-wal", "-shm"}) {
      if (status.ok()) status = Remove(path + std::string(kNew) + suffix);
    }
    if (status.ok()) status = SyncFolder(path);
    if (!status.ok()) return status;
  }
  return {};
}

std::vector<std::string> TrimSetAside(const std::string& path, uint64_t max_bytes) {
  std::vector<SetAsideFile> files = ListSetAside(path);
  std::erase_if(files, [](const SetAsideFile& file) { return file.aside != Aside::kDamaged; });
  std::vector<std::string> removed;
  while (files.size() > 1 && (files.size() > kMaxSetAside || UsageOf(files).bytes > max_bytes)) {
    const std::string& file = files.front().path;
    if (!Remove(file).ok() || !Remove(file + "-wal").ok()) break;
    removed.push_back(file);
    files.erase(files.begin());
  }
  return removed;
}

}  // namespace tidegate
