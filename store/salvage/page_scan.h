// Finds every row of a store's file without SQLite: first along the trees, then, where a tree is
// broken, on the pages that no tree leads to. A row found there may have been deleted earlier.
// Reads hostile bytes. Private to store/; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "store/salvage/page_image.h"

namespace tidegate {

enum class StoreTable : uint8_t { kSchema, kBatch, kState, kDeadLetter, kOther };
std::string_view StoreTableName(StoreTable table);

// The place of a row in the file.
struct RowPlace {
  uint32_t page = 0;
  uint32_t cell = 0;
};

// A row as it was found; the payload lives during the visitor's call.
struct FoundRow {
  RowPlace place;
  // kOther: no tree leads to the row's page, or the row is in a wrong place.
  StoreTable table = StoreTable::kOther;
  uint64_t rowid = 0;
  // nullopt: it cannot be read.
  std::optional<std::string_view> payload;
};

// Rows of a table that may be missing: after < rowid <= until.
struct LostRows {
  StoreTable table = StoreTable::kOther;
  int64_t after = 0;
  int64_t until = 0;
};

class PageScan {
 public:
  using Visitor = std::function<void(const FoundRow&)>;

  explicit PageScan(PageImage& image) : image_(image) {}

  // Calls `visit` for every row, first for those that a tree leads to. REQUIRES: the scan has not
  // run.
  void Run(const Visitor& visit);
  // Calls `visit` only for the rows that the tree of this table leads to. REQUIRES: as Run.
  void RunTable(StoreTable table, const Visitor& visit);

  const std::vector<LostRows>& lost() const { return lost_; }
  // For people: what is wrong with pages, at most kMaxFindings lines.
  static constexpr size_t kMaxFindings = 100;
  const std::vector<std::string>& findings() const { return findings_; }
  bool broken(StoreTable table) const { return broken_[static_cast<size_t>(table)]; }

 private:
  struct Root {
    StoreTable table;
    uint64_t page;
  };

  std::vector<Root> ReadSchema(const Visitor& visit);
  void Walk(StoreTable table, uint64_t number, int64_t after, int64_t until, int depth,
            const Visitor& visit);
  void WalkNode(StoreTable table, const Page& page, int64_t after, int64_t until, int depth,
                const Visitor& visit);
  void VisitLeaf(StoreTable table, const Page& page, int64_t after, int64_t until,
                 const Visitor& visit);
  void ReadFreeList();
  void VisitStrays(const Visitor& visit);
  void Lose(StoreTable table, int64_t after, int64_t until, std::string finding);
  bool Mark(uint64_t number);
  // Reports the range as lost if the page's head counts other cells than were read.
  void Account(StoreTable table, const Page& page, uint32_t cell_bytes, int64_t after,
               int64_t until);

  PageImage& image_;
  // Pages that are in a tree or in the free list.
  std::vector<bool> known_;
  // Depth of the leaves of the tree that is being walked; 0 before the first leaf.
  int leaf_depth_ = 0;
  std::vector<LostRows> lost_;
  std::vector<std::string> findings_;
  std::array<bool, 5> broken_{};
};

}  // namespace tidegate
