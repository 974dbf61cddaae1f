// A disk that fails: stands below the store, fails the n-th call of a kind, and keeps what would be
// on the medium if the power went now. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "store/vfs_handle.h"

namespace tidegate {

class FaultVfs final : public Vfs {
 public:
  enum class Call { kRead, kWrite, kSync, kOpen, kTruncate, kDelete };

  explicit FaultVfs(std::string name) : Vfs(std::move(name), "") {}

  // The n-th call from now on (1 is the next), of `call` or of any kind, returns `code`; once, or
  // from then on for ever.
  void FailNth(uint64_t n, std::optional<Call> call = std::nullopt, int code = 0,
               bool for_ever = false);
  // From now on the medium does not give that 512-byte block of the file (the first is 0), as a
  // worn card does not; whatever the file is called later. REQUIRES: it is there.
  void LoseBlock(const std::string& path, uint64_t block);
  // From now on nothing reaches the disk, as if the machine were off.
  void CutPower();
  // Heals, and puts the files back as the medium holds them: what was synced, and of each later
  // write a random part of its sectors. REQUIRES: every file is closed.
  void RestorePower(uint64_t seed);
  void Heal();
  // Whether the failure that was ordered has happened.
  bool failed() const { return failed_; }
  uint64_t calls() const { return calls_; }

 private:
  friend class FaultFile;

  struct UnsyncedWrite {
    uint64_t offset = 0;
    std::string bytes;
    bool is_truncate = false;  // To `offset`.
  };
  struct Medium {
    std::string synced;
    std::vector<UnsyncedWrite> unsynced;
  };

  int BeforeOpen(const char* path, int flags) override;
  int BeforeDelete(const char* path) override;
  std::unique_ptr<VfsFile> Wrap(sqlite3_file* real, const char* path, int flags) override;
  bool IsLost(uint64_t inode, uint64_t offset, uint64_t size) const;
  // What the call is to return before it does anything. Reads count only if reads are to fail.
  int Judge(Call call);

  std::optional<Call> fail_call_;
  uint64_t fail_in_ = 0;  // 0: never.
  int fail_code_ = 0;
  bool fail_for_ever_ = false;
  bool failed_ = false;
  bool power_cut_ = false;
  uint64_t calls_ = 0;
  std::map<std::string, Medium> media_;
  std::set<std::pair<uint64_t, uint64_t>> lost_blocks_;  // Of which inode.
};

}  // namespace tidegate
