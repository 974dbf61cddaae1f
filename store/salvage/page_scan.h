// Finds every row of a store's file without SQLite: first along the trees, then, where a tree is
// broken, on the pages that no tree leads to. A row found there may have been deleted earlier.
// Reads hostile bytes. Private to store/; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
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

  // Reads on for one cell or page and calls `visit` for a row that it finds, first for rows that a
  // tree leads to. False: every row was visited.
  bool Step(const Visitor& visit);
  // Steps to the end. REQUIRES: the scan has not begun.
  void Run(const Visitor& visit);
  // Calls `visit` only for the rows that the tree of this table leads to. REQUIRES: as Run.
  void RunTable(StoreTable table, const Visitor& visit);

  const std::vector<LostRows>& lost() const { return lost_; }
  // For people: what is wrong with pages, at most kMaxFindings lines.
  static constexpr size_t kMaxFindings = 100;
  const std::vector<std::string>& findings() const { return findings_; }
  bool broken(StoreTable table) const { return broken_[static_cast<size_t>(table)]; }

 private:
  enum class Stage { kStart, kSchema, kTables, kStrays, kDone };
  struct Root {
    StoreTable table;
    uint64_t page;
  };
  // A page of the tree that is being walked; its cells before `next` are done.
  struct Node {
    StoreTable table;
    Page page;
    int64_t begin;
    // The rest of its rows: after < rowid <= until.
    int64_t after;
    int64_t until;
    int depth;
    uint32_t next = 0;
    uint32_t cell_bytes = 0;
  };

  void Start();
  void TakeRoot(const FoundRow& row);
  void AddMissingRoots();
  void EnterNextTable();
  // Begins with a page of a tree, or reports its range as lost.
  void Enter(StoreTable table, uint64_t number, int64_t after, int64_t until, int depth);
  // Does the next cell of the newest node of the walk.
  void Advance(const Visitor& visit);
  void AdvanceNode(const Visitor& visit);
  void VisitCell(const Visitor& visit);
  void EndNode();
  void ReadFreeList();
  void VisitStray(const Visitor& visit);
  void Lose(StoreTable table, int64_t after, int64_t until, std::string finding);
  bool Mark(uint64_t number);

  PageImage& image_;
  Stage stage_ = Stage::kStart;
  // Set: only the tree of this table is walked.
  std::optional<StoreTable> only_;
  // Pages that are in a tree or in the free list.
  std::vector<bool> known_;
  std::vector<Root> roots_;
  size_t next_root_ = 0;
  // From the root of the tree that is being walked down to the page that is being read.
  std::vector<Node> path_;
  // The page that is being searched for stray rows, and its next cell.
  Page stray_;
  uint64_t stray_number_ = 0;
  uint32_t stray_cell_ = 0;
  // Depth of the leaves of the tree that is being walked; 0 before the first leaf.
  int leaf_depth_ = 0;
  std::vector<LostRows> lost_;
  std::vector<std::string> findings_;
  std::array<bool, 5> broken_{};
};

}  // namespace tidegate
