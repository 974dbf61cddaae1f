// Table dead_letter, bounded in bytes: the oldest are given up first. Private to store/; one
// thread.
#pragma once

#include <cstdint>
#include <span>

#include "core/result.h"
#include "store/file/sqlite_handle.h"
#include "store/store.h"

namespace tidegate {

struct DeadLetterTotals {
  uint64_t letters = 0;
  uint64_t bytes = 0;    // As the limit counts them.
  uint64_t dropped = 0;  // Given up by this transaction.
};

class DeadLetterTable {
 public:
  // What a letter costs besides its texts.
  static constexpr uint64_t kRowBytes = 32;
  // Origin and reason are texts for people; longer ones are cut.
  static constexpr size_t kMaxTextBytes = 1024;

  static Result<DeadLetterTable> Prepare(Database& database, uint64_t max_bytes,
                                         uint64_t max_payload_bytes);

  // The bytes that the letters will take, payloads cut.
  uint64_t BytesOf(std::span<const DeadLetter> letters) const;
  // Adds them and gives up the oldest over the limit; `totals` is kept current.
  Status Add(std::span<const DeadLetter> letters, DeadLetterTotals& totals);
  Result<DeadLetterTotals> Totals();

 private:
  DeadLetterTable(uint64_t max_bytes, uint64_t max_payload_bytes)
      : max_bytes_(max_bytes), max_payload_bytes_(max_payload_bytes) {}

  uint64_t BytesOf(const DeadLetter& letter) const;
  Status DropOldest(DeadLetterTotals& totals);

  uint64_t max_bytes_;
  uint64_t max_payload_bytes_;
  Statement insert_;
  Statement oldest_;
  Statement delete_;
  Statement totals_;
};

}  // namespace tidegate
