// What the store knows of its contents without reading them. Every appended row carries it, so that
// opening reads one row instead of all, and no commit writes a page more; what changes it without
// appending writes it to table state. Private to store/; pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/record.h"
#include "core/result.h"

namespace tidegate {

// No store comes near this seq. A higher one in a file is damage; keys of batches hold 56 bits.
inline constexpr Seq kMaxNextSeq = 3ull << 54;

struct StoreTotals {
  std::array<uint64_t, kRecordClassCount> records{};  // Stored; delivered ones included.
  uint64_t batches = 0;
  Seq next_seq = 1;
  // First seqs: every stored batch of the class up to that one has been delivered. 0: none.
  std::array<Seq, kRecordClassCount> delivered{};
  uint64_t letters = 0;
  uint64_t letter_bytes = 0;

  friend bool operator==(const StoreTotals&, const StoreTotals&) = default;
};

std::string EncodeTotals(const StoreTotals& totals);
// kCorrupt: damaged, or none.
Result<StoreTotals> DecodeTotals(std::string_view bytes);

}  // namespace tidegate
