// A disk that fails: a VFS below the store's own that fails the n-th call of a kind, and keeps what
// the medium would hold after a power cut. Names of files (created, deleted, renamed) are on the
// medium at once, but a deleted file may reappear until the next sync. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "store/file/vfs_handle.h"
#include "tests/support/fault_medium.h"

namespace tidegate {

class FaultVfs final : public Vfs {
 public:
  enum class Call { kWrite, kSync, kOpen, kTruncate, kDelete, kRead };

  // `seed` decides what a failed call has done nevertheless.
  explicit FaultVfs(std::string name, uint64_t seed = 1)
      : Vfs(std::move(name), ""), random_(seed) {}

  // Makes the n-th call from now on (1 is the next), of `call` or of any kind but reads, return
  // `code`; once, or from then on for ever.
  void FailNth(uint64_t n, std::optional<Call> call = std::nullopt, int code = 0,
               bool for_ever = false);
  // Makes that 512-byte block of the file (the first is 0) unreadable after `times` more reads, as
  // on a worn card, also if the file is renamed. REQUIRES: the file exists.
  void LoseBlock(const std::string& path, uint64_t block, uint64_t times = 0);
  // From now on nothing reaches the disk, as if the machine were off.
  void CutPower();
  // Cuts the power in the middle of the n-th call from now on, of any kind but reads.
  void CutPowerAt(uint64_t n);
  // Ends every fault and restores the files as the medium holds them: all that was synced, and a
  // random part of what was not. REQUIRES: every file is closed.
  void RestorePower(uint64_t seed);
  void Heal();
  // Returns true if the failure that was ordered has happened.
  bool failed() const { return failed_; }
  // Returns the number of calls so far, of `call` or of all kinds but reads.
  uint64_t calls(std::optional<Call> call = std::nullopt) const;

 private:
  friend class FaultFile;

  int BeforeOpen(const char* path, int flags) override;
  int BeforeDelete(const char* path) override;
  std::unique_ptr<VfsFile> Wrap(sqlite3_file* real, const char* path, int flags) override;
  // Returns true if a lost block is in the range that is read now.
  bool IsLost(uint64_t inode, uint64_t offset, uint64_t size);
  // Returns the code with which the call fails before it does anything; SQLITE_OK: it proceeds.
  int Judge(Call call);

  std::mt19937_64 random_;
  std::optional<Call> fail_call_;
  uint64_t fail_in_ = 0;  // 0: never.
  int fail_code_ = 0;
  bool fail_for_ever_ = false;
  bool cut_when_failing_ = false;
  bool failed_ = false;
  bool power_cut_ = false;
  std::map<Call, uint64_t> calls_;
  std::map<std::string, FaultMedium> media_;    // By path.
  std::map<std::string, FaultMedium> deleted_;  // Since the last sync of any file.
  // Inode and block, and how often it is still given.
  std::map<std::pair<uint64_t, uint64_t>, uint64_t> lost_blocks_;
};

}  // namespace tidegate
