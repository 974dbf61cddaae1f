// Divides the store's byte limit among the database file, its write-ahead log and the log's index.
// Pure.
#pragma once

#include <cstdint>

#include "core/result.h"

namespace tidegate {

// Pages of 512 bytes write the fewest bytes: store/README.md.
inline constexpr uint64_t kPageBytes = 512;
// A page in the log, with its frame's header.
inline constexpr uint64_t kFrameBytes = kPageBytes + 24;
inline constexpr uint64_t kMinStoreBytes = 1ull << 20;

struct SizeBudget {
  // Limits of the database file and of the log.
  uint64_t database_pages = 0;
  uint64_t log_bytes = 0;
  // Blocks that the log owns for good; it only grows larger while a reader holds it.
  uint64_t log_reserve_bytes = 0;
  // The log is emptied into the database when it has reached this size.
  uint64_t checkpoint_bytes = 0;
  // Step in which the database file reserves blocks.
  uint64_t growth_pages = 0;
  // Pages that appends leave free for gap records, deletes and a snapshot.
  uint64_t reserve_pages = 0;
  // Most bytes that the rows of one append may take in the log.
  uint64_t transaction_bytes = 0;
  // Most bytes of a row that fits one append alone.
  uint64_t row_bytes = 0;
  // Most bytes of a snapshot.
  uint64_t snapshot_bytes = 0;
  // Most delivered batches that one transaction deletes.
  uint64_t deletes = 0;

  // kInvalid: under kMinStoreBytes.
  static Result<SizeBudget> For(uint64_t max_bytes);
};

// Returns the most pages that a row of that size takes, its share of the tree included.
constexpr uint64_t PagesForRow(uint64_t bytes) {
  return (bytes + 32) / (kPageBytes - 4) + 3;
}
// Returns the most bytes of a row that takes that many pages. REQUIRES: pages >= 3.
constexpr uint64_t RowBytesIn(uint64_t pages) {
  return (pages - 2) * (kPageBytes - 4) - 32 - 1;
}
static_assert(PagesForRow(RowBytesIn(100)) == 100 && PagesForRow(RowBytesIn(100) + 1) == 101);

}  // namespace tidegate
