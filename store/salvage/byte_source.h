// Reads the bytes of a file that may be damaged. Private to store/; one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

struct sqlite3_file;

namespace tidegate {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual uint64_t size() const = 0;
  // Reads out.size() bytes. False: the medium does not give them, or they lie after the end.
  virtual bool Read(uint64_t offset, std::span<char> out) = 0;
};

class MemoryBytes final : public ByteSource {
 public:
  // The bytes stay the caller's.
  explicit MemoryBytes(std::string_view bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  bool Read(uint64_t offset, std::span<char> out) override;

 private:
  std::string_view bytes_;
};

// Reads through a VFS of SQLite, which can close a file without losing the process's locks on it,
// and where tests put faults. Never writes.
class FileBytes final : public ByteSource {
 public:
  // `is_log`: the file is the write-ahead log. kUnavailable: it is missing or cannot be opened.
  // REQUIRES: `vfs` is registered; empty is SQLite's default.
  static Result<std::unique_ptr<FileBytes>> Open(const std::string& path, const std::string& vfs,
                                                 bool is_log);
  ~FileBytes() override;
  uint64_t size() const override { return size_; }
  bool Read(uint64_t offset, std::span<char> out) override;

 private:
  FileBytes() = default;

  // SQLite keeps a pointer to it.
  std::string name_;
  // The memory of file().
  std::unique_ptr<char[]> slot_;
  uint64_t size_ = 0;
  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(slot_.get()); }
};

}  // namespace tidegate
