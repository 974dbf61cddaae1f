// Table dead_letter, bounded in bytes: the oldest are dropped first. Known loss: a letter has no
// checksum of its own. Private to store/; one thread.
#pragma once

#include <cstdint>
#include <span>

#include "core/result.h"
#include "core/sqlite/database.h"
#include "core/sqlite/statement.h"
#include "store/store.h"

namespace tidegate {

struct DeadLetterTotals {
  uint64_t letters = 0;
  // As the limit counts them.
  uint64_t bytes = 0;
  // Dropped by this transaction.
  uint64_t dropped = 0;
  // Added by this transaction without a part of their payload.
  uint64_t truncated = 0;
};

class DeadLetterTable {
 public:
  // Bytes that a letter counts besides its texts.
  static constexpr uint64_t kRowBytes = 32;
  // Bytes that a letter counts besides its payload, at most.
  static constexpr uint64_t kMaxHeadBytes = kRowBytes + 3 * kMaxLetterTextBytes;

  // REQUIRES: max_payload_bytes <= max_bytes.
  static Result<DeadLetterTable> Prepare(sqlite::Database& database, uint64_t max_bytes,
                                         uint64_t max_payload_bytes);

  // Returns the bytes of the letter's row as it will be stored, cut: the one size that every limit
  // counts.
  uint64_t BytesOf(const DeadLetter& letter) const;
  // Adds the letters, drops the oldest ones over the limit, and updates `totals`.
  Status Add(std::span<const DeadLetter> letters, DeadLetterTotals& totals);
  // Drops the oldest letter and updates `totals`. False: there is none.
  Result<bool> DropOldest(DeadLetterTotals& totals);
  Result<DeadLetterTotals> Totals();

 private:
  DeadLetterTable(uint64_t max_bytes, uint64_t max_payload_bytes)
      : max_bytes_(max_bytes), max_payload_bytes_(max_payload_bytes) {}

  std::string_view CutPayload(const DeadLetter& letter) const;
  Status Insert(const DeadLetter& letter, DeadLetterTotals& totals);

  uint64_t max_bytes_;
  uint64_t max_payload_bytes_;
  sqlite::Statement insert_;
  sqlite::Statement oldest_;
  sqlite::Statement delete_;
  sqlite::Statement totals_;
};

}  // namespace tidegate
