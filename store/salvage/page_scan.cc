#include "store/salvage/page_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "core/check.h"
#include "store/format/big_endian.h"

namespace tidegate {
namespace {

// SQLite's own bound; a tree of our pages is far less deep.
constexpr int kMaxDepth = 20;
constexpr int64_t kFirst = std::numeric_limits<int64_t>::min();
constexpr int64_t kLast = std::numeric_limits<int64_t>::max();
constexpr size_t kFreeListOffset = 32;  // Of the first trunk page, in the file's header.
// Where creation puts the tables: SQLite never moves a root. For a file whose schema does not read.
constexpr std::pair<StoreTable, uint64_t> kRootsAtCreation[] = {
    {StoreTable::kBatch, 2}, {StoreTable::kState, 3}, {StoreTable::kDeadLetter, 4}};

StoreTable TableOf(std::string_view name) {
  for (const auto table : {StoreTable::kBatch, StoreTable::kState, StoreTable::kDeadLetter}) {
    if (StoreTableName(table) == name) return table;
  }
  return StoreTable::kOther;
}

}  // namespace

std::string_view StoreTableName(StoreTable table) {
  switch (table) {
    case StoreTable::kSchema:
      return "sqlite_schema";
    case StoreTable::kBatch:
      return "batch";
    case StoreTable::kState:
      return "state";
    case StoreTable::kDeadLetter:
      return "dead_letter";
    case StoreTable::kOther:
      break;
  }
  return "?";
}

void PageScan::Run(const Visitor& visit) {
  CHECK(known_.empty(), "a scan runs once");
  known_.assign(image_.pages() + 1, false);
  for (const Root& root : ReadSchema(visit)) {
    leaf_depth_ = 0;
    Walk(root.table, root.page, kFirst, kLast, 1, visit);
  }
  if (std::ranges::none_of(broken_, std::identity())) return;
  ReadFreeList();
  VisitStrays(visit);
}

void PageScan::RunTable(StoreTable table, const Visitor& visit) {
  CHECK(known_.empty(), "a scan runs once");
  known_.assign(image_.pages() + 1, false);
  for (const Root& root : ReadSchema([](const FoundRow&) {})) {
    leaf_depth_ = 0;
    if (root.table == table) Walk(root.table, root.page, kFirst, kLast, 1, visit);
  }
}

bool PageScan::Mark(uint64_t number) {
  if (number == 0 || number >= known_.size() || known_[number]) return false;
  known_[number] = true;
  return true;
}

void PageScan::Lose(StoreTable table, int64_t after, int64_t until, std::string finding) {
  CHECK(after <= until, "a range of lost rows is in order");
  broken_[static_cast<size_t>(table)] = true;
  lost_.push_back({table, after, until});
  if (findings_.size() < kMaxFindings) findings_.push_back(std::move(finding));
}

std::vector<PageScan::Root> PageScan::ReadSchema(const Visitor& visit) {
  std::vector<Root> roots;
  Walk(StoreTable::kSchema, 1, kFirst, kLast, 1, [&](const FoundRow& row) {
    const auto columns = row.payload ? ParseRecord(*row.payload) : std::nullopt;
    if (!columns || columns->size() != 5 || (*columns)[0].bytes != "table") return;
    const auto page = static_cast<uint64_t>((*columns)[3].integer);
    roots.push_back({TableOf((*columns)[1].bytes), page});
    visit(row);
  });
  // A schema that has lost a row has lost a table's root.
  for (const auto& [table, page] : kRootsAtCreation) {
    const bool there = std::ranges::any_of(
        roots, [&, wanted = table](const Root& root) { return root.table == wanted; });
    if (!there) roots.push_back({table, page});
    if (!there) broken_[static_cast<size_t>(StoreTable::kSchema)] = true;
  }
  return roots;
}

void PageScan::Walk(StoreTable table, uint64_t number, int64_t after, int64_t until, int depth,
                    const Visitor& visit) {
  CHECK(after <= until, "a tree's range of rows is in order");
  const auto lose = [&](std::string_view why) {
    Lose(table, after, until,
         fmt::format("page {} (table {}): {}", number, StoreTableName(table), why));
  };
  if (depth > kMaxDepth) return lose("the tree is deeper than it can be");
  Page page;
  if (!image_.ReadBytes(number, page))
    return lose("does not read, or is behind the end of the file");
  if (!ParsePage(page) || page.is_table() != (table != StoreTable::kState)) {
    return lose("is no page of the table");
  }
  if (!Mark(number)) return lose("has two places in the file");
  if (page.is_leaf()) {
    if (leaf_depth_ == 0) leaf_depth_ = depth;
    if (depth != leaf_depth_) lose("is a leaf where a node should be");
    VisitLeaf(table, page, after, until, visit);
  } else {
    WalkNode(table, page, after, until, depth, visit);
  }
}

void PageScan::WalkNode(StoreTable table, const Page& page, int64_t after, int64_t until, int depth,
                        const Visitor& visit) {
  CHECK(depth <= kMaxDepth && !page.is_leaf(), "only nodes within the bound lead on");
  const int64_t begin = after;
  uint32_t cell_bytes = 0;
  for (uint32_t i = 0; i < page.cells; ++i) {
    const auto cell = image_.ReadCell(page, i);
    cell_bytes += cell ? cell->bytes : 0;
    const auto key = cell && page.is_table() ? static_cast<int64_t>(cell->rowid) : until;
    if (!cell || key < after || key > until) {
      Lose(table, after, until,
           fmt::format("page {} (table {}): entry {} is impossible", page.number,
                       StoreTableName(table), i));
      continue;
    }
    Walk(table, cell->left_child, after, key, depth + 1, visit);
    if (page.is_table()) {
      after = key;
    } else {
      // An index's nodes hold rows, too.
      visit({{static_cast<uint32_t>(page.number), i}, table, 0, cell->payload});
    }
  }
  Walk(table, page.right_child, after, until, depth + 1, visit);
  Account(table, page, cell_bytes, begin, until);
}

void PageScan::Account(StoreTable table, const Page& page, uint32_t cell_bytes, int64_t after,
                       int64_t until) {
  if (IsAccounted(page, cell_bytes)) return;
  Lose(table, after, until,
       fmt::format("page {} (table {}): its entries are not what its head says", page.number,
                   StoreTableName(table)));
}

void PageScan::VisitLeaf(StoreTable table, const Page& page, int64_t after, int64_t until,
                         const Visitor& visit) {
  const int64_t begin = after;
  uint32_t cell_bytes = 0;
  for (uint32_t i = 0; i < page.cells; ++i) {
    const auto cell = image_.ReadCell(page, i);
    cell_bytes += cell ? cell->bytes : 0;
    const auto rowid = cell ? static_cast<int64_t>(cell->rowid) : 0;
    const bool in_place = cell && (!page.is_table() || (rowid > after && rowid <= until));
    if (!in_place || !cell->payload) {
      Lose(table, in_place && page.is_table() ? rowid - 1 : after,
           in_place && page.is_table() ? rowid : until,
           fmt::format("page {} (table {}): row {} {}", page.number, StoreTableName(table), i,
                       in_place ? "does not read to its end" : "is impossible"));
    }
    // A row in a wrong place may still be whole.
    if (cell) {
      visit({{static_cast<uint32_t>(page.number), i},
             in_place ? table : StoreTable::kOther,
             cell->rowid,
             cell->payload});
    }
    CHECK(!in_place || !page.is_table() || rowid > after, "rows in place ascend");
    if (in_place && page.is_table()) after = rowid;
  }
  Account(table, page, cell_bytes, begin, until);
}

void PageScan::ReadFreeList() {
  Page page;
  if (!image_.ReadBytes(1, page)) return;
  uint64_t next = Big32(&page.bytes[kFreeListOffset]);
  // A chain that runs in a circle meets a page that is marked.
  while (next != 0 && Mark(next) && image_.ReadBytes(next, page)) {
    const uint64_t leaves = std::min<uint64_t>(Big32(&page.bytes[4]), kPageBytes / 4 - 2);
    for (uint64_t i = 0; i < leaves; ++i) (void)Mark(Big32(&page.bytes[8 + i * 4]));
    next = Big32(page.bytes.data());
  }
}

// Visits pages that no tree leads to: below a broken node, or free with a free list that is broken.
// (A page of a row's overflow does not look like a page of a tree: it begins with a page's number.)
void PageScan::VisitStrays(const Visitor& visit) {
  Page page;
  for (uint64_t number = 1; number < known_.size(); ++number) {
    if (known_[number] || !image_.Read(number, page)) continue;
    if (page.type == Page::kTableNode) continue;
    for (uint32_t i = 0; i < page.cells; ++i) {
      const auto cell = image_.ReadCell(page, i);
      if (!cell || !cell->payload) continue;
      visit({{static_cast<uint32_t>(number), i}, StoreTable::kOther, cell->rowid, cell->payload});
    }
  }
}

}  // namespace tidegate
