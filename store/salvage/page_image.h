// The pages of one of our database files as its committed log leaves them, and the cells on them,
// read without SQLite: for files that it refuses. Format: https://www.sqlite.org/fileformat2.html.
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

  uint64_t number = 0;  // From 1.
  std::array<char, kPageBytes> bytes{};
  uint8_t type = 0;
  uint32_t cells = 0;
  uint32_t right_child = 0;  // Of a node.

  bool is_leaf() const { return type == kIndexLeaf || type == kTableLeaf; }
  bool is_table() const { return type == kTableNode || type == kTableLeaf; }
};

struct Cell {
  uint32_t left_child = 0;             // Of a node.
  uint64_t rowid = 0;                  // Of a table.
  std::optional<std::string> payload;  // nullopt: it does not read. A table's node has none.
  uint32_t bytes = 0;                  // That it takes on its page.
};

// A column of a row; views point into its payload.
struct Column {
  enum class Type { kNull, kInteger, kReal, kText, kBlob };
  Type type = Type::kNull;
  int64_t integer = 0;
  std::string_view bytes;
};

class PageImage {
 public:
  // The largest row that is read.
  static constexpr uint64_t kMaxPayloadBytes = 64ull << 20;

  // `log` may be null, and then `scan` is empty. Both outlive it.
  PageImage(ByteSource& database, ByteSource* log, const LogScan& scan);

  uint64_t pages() const { return pages_; }
  // The bytes only. False: they do not read, or there is no such page.
  bool ReadBytes(uint64_t number, Page& page);
  // False: it is also no page of a b-tree.
  bool Read(uint64_t number, Page& page);
  // nullopt: its place or its head is impossible. REQUIRES: index < page.cells.
  std::optional<Cell> ReadCell(const Page& page, uint32_t index);

 private:
  std::optional<std::string> Payload(bool is_table, uint64_t size, std::span<const char> rest);

  ByteSource& database_;
  ByteSource* log_;
  const LogScan& scan_;
  uint64_t pages_;
};

// Reads the page's head from its bytes. False: it is no page of a b-tree.
bool ParsePage(Page& page);

// Whether cells of so many bytes in all and the page's free blocks are what its head counts: if
// not, cells are missing.
bool IsAccounted(const Page& page, uint32_t cell_bytes);

// nullopt: not a record (https://www.sqlite.org/fileformat2.html#record_format) of at most
// kMaxColumns columns.
inline constexpr size_t kMaxColumns = 16;
std::optional<std::vector<Column>> ParseRecord(std::string_view payload);

}  // namespace tidegate
