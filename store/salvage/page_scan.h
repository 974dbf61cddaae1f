// Finds every row of one of our database files without SQLite: first down the trees, then, where a
// tree is broken, on the pages that nothing leads to any more. A row found there may be one that
// was deleted before. Reads hostile bytes. Private to store/; one thread.
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

// Where a row lies.
struct RowPlace {
  uint32_t page = 0;
  uint32_t cell = 0;
};

// A row as it was found. `row` lives during the call.
struct FoundRow {
  RowPlace place;
  StoreTable table = StoreTable::kOther;  // kOther: on a page that nothing leads to.
  uint64_t rowid = 0;
  std::optional<std::string_view> payload;  // nullopt: it does not read.
};

// Of a table: rows whose place does not read. Rowids: after < rowid <= until.
struct LostRows {
  StoreTable table = StoreTable::kOther;
  int64_t after = 0;
  int64_t until = 0;
};

class PageScan {
 public:
  using Visitor = std::function<void(const FoundRow&)>;

  explicit PageScan(PageImage& image) : image_(image) {}

  // Calls `visit` for every row. What a tree leads to comes first.
  void Run(const Visitor& visit);
  // Only the rows that the tree of this one table leads to.
  void RunTable(StoreTable table, const Visitor& visit);

  const std::vector<LostRows>& lost() const { return lost_; }
  // What is wrong with pages, for people, at most kMaxFindings.
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
  // A page that tells of fewer cells than it has, or of others.
  void Account(StoreTable table, const Page& page, uint32_t cell_bytes, int64_t after,
               int64_t until);

  PageImage& image_;
  std::vector<bool> known_;  // Pages whose place in the file is clear.
  int leaf_depth_ = 0;       // Of the tree that is being walked; 0: no leaf yet.
  std::vector<LostRows> lost_;
  std::vector<std::string> findings_;
  std::array<bool, 5> broken_{};
};

}  // namespace tidegate
