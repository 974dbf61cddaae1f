// One file as a disk's medium holds it: what was synced, and what a power cut may lose. One thread.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate {

class FaultMedium {
 public:
  // What a power cut does to writes that no sync has covered.
  struct PowerLoss {
    // A write survives in units that are kept or lost on their own; 1: torn at any byte, 0: a write
    // is never torn.
    uint64_t unit_bytes = 512;
    // Of each unit, in tenths.
    uint64_t survivors = 5;
    // A block of 4 KiB of which a part was lost holds noise, also where it had been synced: what SD
    // cards do while they rewrite one.
    bool ruins_blocks = false;

    static PowerLoss Draw(std::mt19937_64& random, bool may_ruin_blocks);
  };

  explicit FaultMedium(std::string synced = {}, uint64_t inode = 0)
      : inode_(inode), synced_(std::move(synced)) {}

  void Write(uint64_t offset, std::string_view bytes);
  void Truncate(uint64_t size);
  void Sync();
  // A sync failed: the kernel counts everything as written from now on, but only a part is.
  void FailSync(std::mt19937_64& random);
  // Returns the contents after the power is back.
  const std::string& Lose(const PowerLoss& loss, std::mt19937_64& random);

  uint64_t inode() const { return inode_; }

 private:
  struct Change {
    uint64_t offset = 0;
    std::string bytes;
    bool is_truncate = false;  // To `offset`.
  };

  void Apply(const Change& change);
  void LosePart(const Change& change, const PowerLoss& loss, std::mt19937_64& random);
  void Ruin(uint64_t offset, uint64_t size, std::mt19937_64& random);

  uint64_t inode_;
  std::string synced_;
  std::vector<Change> unsynced_;
};

}  // namespace tidegate
