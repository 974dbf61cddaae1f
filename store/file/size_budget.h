// How the store's byte limit is shared out between the database file, its write-ahead log and the
// log's index. Pure.
#pragma once

#include <cstdint>

#include "core/result.h"

namespace tidegate {

// 512 writes the fewest bytes: store/README.md.
inline constexpr uint64_t kPageBytes = 512;
inline constexpr uint64_t kFrameBytes = kPageBytes + 24;  // A page in the log.
inline constexpr uint64_t kMinStoreBytes = 1ull << 20;

struct SizeBudget {
  uint64_t database_pages = 0;     // The database file never grows beyond.
  uint64_t log_bytes = 0;          // Nor the log.
  uint64_t log_reserve_bytes = 0;  // What the log owns for good; it grows only under a reader.
  uint64_t checkpoint_bytes = 0;   // The log is emptied into the database when it has this many.
  uint64_t growth_pages = 0;       // By which the database file grows.
  uint64_t reserve_pages = 0;      // Left free by appends, for gap records, deletes and a snapshot.
  uint64_t transaction_bytes = 0;  // The most that the rows of one append may take in the log.
  uint64_t snapshot_bytes = 0;     // The most that a snapshot may have.
  uint64_t deletes = 0;            // The most delivered batches that one transaction deletes.

  // kInvalid: under kMinStoreBytes.
  static Result<SizeBudget> For(uint64_t max_bytes);
};

// Pages that a row of so many bytes takes at most, its share of the tree included.
constexpr uint64_t PagesForRow(uint64_t bytes) {
  return (bytes + 32) / (kPageBytes - 4) + 3;
}

}  // namespace tidegate
