// The totals: what the store knows of its contents without reading them. Every appended row carries
// them, so that opening reads one row instead of all, and no commit writes a page more. A
// transaction that changes them without appending a row writes them to table state. Private to
// store/; pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/record.h"
#include "core/result.h"

namespace tidegate {

// Keys of batches hold seqs of 56 bits; no store comes near this limit.
inline constexpr Seq kMaxNextSeq = 3ull << 54;
// A higher next seq in a file is damage. The rest is more than one process can append.
inline constexpr Seq kMaxFoundSeq = kMaxNextSeq - (1ull << 48);

struct StoreTotals {
  // Stored records of each class and their batches, delivered ones included.
  std::array<uint64_t, kRecordClassCount> records{};
  uint64_t batches = 0;
  Seq next_seq = 1;
  // The delivered marks. For each class, the first seq of the last batch up to which every stored
  // batch is delivered; 0 if none is.
  std::array<Seq, kRecordClassCount> delivered{};
  // Dead letters and their bytes, as their limit counts them.
  uint64_t letters = 0;
  uint64_t letter_bytes = 0;

  friend bool operator==(const StoreTotals&, const StoreTotals&) = default;
};

// REQUIRES: 0 < next_seq <= kMaxNextSeq, and so for the delivered marks, which may be 0.
std::string EncodeTotals(const StoreTotals& totals);
// kCorrupt: damaged, empty, or with an impossible seq.
Result<StoreTotals> DecodeTotals(std::string_view bytes);

}  // namespace tidegate
