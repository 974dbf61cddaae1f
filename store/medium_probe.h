// Finds places of the store's files that the medium no longer returns although the files open: a
// file over 16 MiB is not read whole at its opening, so a read that fails again and again would
// otherwise be tried for ever. After four errors, and then after 8, 16, ... in all, it reads both
// files through, a part at each further error. Private to store/; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace tidegate {

class MediumProbe {
 public:
  MediumProbe(std::string path, std::string vfs) : path_(std::move(path)), vfs_(std::move(vfs)) {}

  // Counts an error and reads the next part if one is due. Returns true if a place does not read.
  // REQUIRES: the store's file is closed.
  bool FindsDamage();
  // Another file took the place of the one that was read.
  void Reset();

 private:
  // As much as the check at an opening reads.
  static constexpr uint64_t kPartBytes = 16ull << 20;
  static constexpr unsigned kErrors = 4;

  struct Place {
    bool is_in_log = false;
    uint64_t offset = 0;
  };

  bool ReadsPart();
  // Reads the file of `next_` up to its end, or until no byte is left of the part.
  bool ReadsFile(uint64_t& left);

  const std::string path_;
  const std::string vfs_;
  unsigned errors_ = 0;
  // Where the next part begins; nullopt: nothing is being read.
  std::optional<Place> next_;
};

}  // namespace tidegate
