// Reads the pages of a store's file as its committed log leaves them, and the cells on them,
// without SQLite: for files that SQLite refuses. Format: https://www.sqlite.org/fileformat2.html.
// Reads hostile bytes: every length, number and chain is bounded. Private to store/; one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/file/size_budget.h"
#include "store/salvage/byte_source.h"
#include "store/salvage/log_scan.h"

namespace tidegate {

struct Page {
  // https://www.sqlite.org/fileformat2.html#b_tree_pages
  enum Type : uint8_t {
    kIndexNode = 0x02,
    kTableNode = 0x05,
    kIndexLeaf = 0x0a,
    kTableLeaf = 0x0d
  };

  // Counts from 1.
  uint64_t number = 0;
  std::array<char, kPageBytes> bytes{};
  uint8_t type = 0;
  uint32_t cells = 0;
  // Page number; 0 on a leaf.
  uint32_t right_child = 0;

  bool is_leaf() const { return type == kIndexLeaf || type == kTableLeaf; }
  bool is_table() const { return type == kTableNode || type == kTableLeaf; }
};

struct Cell {
  // Page number; only in nodes.
  uint32_t left_child = 0;
  // Only in tables.
  uint64_t rowid = 0;
  // nullopt: it cannot be read, or the cell is in a table's node, which has no payloads.
  std::optional<std::string> payload;
  // Bytes that the cell takes on its page.
  uint32_t bytes = 0;
};

// A column of a row; its view points into the row's payload.
struct Column {
  enum class Type { kNull, kInteger, kReal, kText, kBlob };
  Type type = Type::kNull;
  int64_t integer = 0;
  std::string_view bytes;
};

class PageImage {
 public:
  // Larger rows are not read: more than any store writes, little enough for one step.
  static constexpr uint64_t kMaxPayloadBytes = 4ull << 20;

  // All three outlive the image; `log` may be null. REQUIRES: without a log `scan` has no pages.
  PageImage(ByteSource& database, ByteSource* log, const LogScan& scan);

  uint64_t pages() const { return pages_; }
  // How many pages were read so far, some of them more than once.
  uint64_t pages_read() const { return pages_read_; }
  // Reads the page's bytes only. False: they cannot be read, or there is no such page.
  bool ReadBytes(uint64_t number, Page& page);
  // Reads and parses the page. False: as above, or it is no page of a b-tree.
  bool Read(uint64_t number, Page& page);
  // Returns a cell; nullopt: its place or its head is impossible. REQUIRES: index < page.cells.
  std::optional<Cell> ReadCell(const Page& page, uint32_t index);

 private:
  std::optional<std::string> Payload(bool is_table, uint64_t size, std::span<const char> rest);

  ByteSource& database_;
  ByteSource* log_;
  const LogScan& scan_;
  uint64_t pages_;
  uint64_t pages_read_ = 0;
};

// Parses the page's head from its bytes. False: it is no page of a b-tree.
bool ParsePage(Page& page);

// Returns true if cells of `cell_bytes` in all and the page's free blocks add up to what its head
// counts. If they do not, cells are missing.
bool IsAccounted(const Page& page, uint32_t cell_bytes);

inline constexpr size_t kMaxColumns = 16;
// Parses a row (https://www.sqlite.org/fileformat2.html#record_format); nullopt: it is none of at
// most kMaxColumns columns.
std::optional<std::vector<Column>> ParseRecord(std::string_view payload);

}  // namespace tidegate
