// A fold for tests: a chain of hashes over the values of each class that is replayed, so that a
// record that is missing, doubled or out of order changes the result. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>

#include "store/store.h"

namespace tidegate {

class ChainFold {
 public:
  void Add(RecordClass record_class, std::span<const Record> records);
  std::optional<std::string> Save() const;
  // Restores the fold from the store's snapshot and what it replays. Throws if the store fails.
  static ChainFold Restore(Store& store);

  friend bool operator==(const ChainFold&, const ChainFold&) = default;

 private:
  struct Chain {
    uint64_t hash = 0;
    uint64_t records = 0;
    friend bool operator==(const Chain&, const Chain&) = default;
  };

  std::array<Chain, kRecordClassCount> chains_{};
};

// Prints the fold in messages of tests.
std::ostream& operator<<(std::ostream& out, const ChainFold& fold);

}  // namespace tidegate
