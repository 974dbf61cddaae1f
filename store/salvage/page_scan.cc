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
constexpr size_t kSchemaColumns = 5;
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
  CHECK(stage_ == Stage::kStart, "a scan runs once");
  while (Step(visit)) {
  }
}

void PageScan::RunTable(StoreTable table, const Visitor& visit) {
  only_ = table;
  Run(visit);
}

bool PageScan::Step(const Visitor& visit) {
  switch (stage_) {
    case Stage::kStart:
      Start();
      break;
    case Stage::kSchema:
      if (path_.empty()) {
        AddMissingRoots();
        stage_ = Stage::kTables;
        break;
      }
      Advance([&](const FoundRow& row) {
        TakeRoot(row);
        if (!only_) visit(row);
      });
      break;
    case Stage::kTables:
      path_.empty() ? EnterNextTable() : Advance(visit);
      break;
    case Stage::kStrays:
      VisitStray(visit);
      break;
    case Stage::kDone:
      break;
  }
  return stage_ != Stage::kDone;
}

void PageScan::Start() {
  known_.assign(image_.pages() + 1, false);
  path_.reserve(kMaxDepth);
  stage_ = Stage::kSchema;
  Enter(StoreTable::kSchema, 1, kFirst, kLast, 1);
}

void PageScan::EnterNextTable() {
  while (next_root_ < roots_.size() && only_ && roots_[next_root_].table != *only_) ++next_root_;
  if (next_root_ < roots_.size()) {
    const Root& root = roots_[next_root_++];
    leaf_depth_ = 0;
    return Enter(root.table, root.page, kFirst, kLast, 1);
  }
  const bool searches = !only_ && std::ranges::any_of(broken_, std::identity());
  if (searches) ReadFreeList();
  stage_ = searches ? Stage::kStrays : Stage::kDone;
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

void PageScan::TakeRoot(const FoundRow& row) {
  const auto columns = row.payload ? ParseRecord(*row.payload) : std::nullopt;
  if (!columns || columns->size() != kSchemaColumns || (*columns)[0].bytes != "table") return;
  roots_.push_back({TableOf((*columns)[1].bytes), static_cast<uint64_t>((*columns)[3].integer)});
}

// A schema that has lost a row has lost a table's root.
void PageScan::AddMissingRoots() {
  for (const auto& [table, page] : kRootsAtCreation) {
    const bool there = std::ranges::any_of(
        roots_, [&, wanted = table](const Root& root) { return root.table == wanted; });
    if (there) continue;
    roots_.push_back({table, page});
    broken_[static_cast<size_t>(StoreTable::kSchema)] = true;
  }
}

void PageScan::Enter(StoreTable table, uint64_t number, int64_t after, int64_t until, int depth) {
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
  }
  path_.push_back({table, page, after, after, until, depth});
}

void PageScan::Advance(const Visitor& visit) {
  CHECK(!path_.empty(), "a walk has a page");
  const Node& node = path_.back();
  if (node.page.is_leaf()) return node.next < node.page.cells ? VisitCell(visit) : EndNode();
  if (node.next > node.page.cells) return EndNode();
  AdvanceNode(visit);
}

void PageScan::AdvanceNode(const Visitor& visit) {
  Node& node = path_.back();
  CHECK(node.depth <= kMaxDepth && !node.page.is_leaf(), "only nodes within the bound lead on");
  const uint32_t i = node.next++;
  const int64_t after = node.after, until = node.until;
  const int depth = node.depth + 1;
  if (i == node.page.cells) return Enter(node.table, node.page.right_child, after, until, depth);
  const auto cell = image_.ReadCell(node.page, i);
  node.cell_bytes += cell ? cell->bytes : 0;
  const bool is_table = node.page.is_table();
  const auto key = cell && is_table ? static_cast<int64_t>(cell->rowid) : until;
  if (!cell || key < after || key > until) {
    return Lose(node.table, after, until,
                fmt::format("page {} (table {}): entry {} is impossible", node.page.number,
                            StoreTableName(node.table), i));
  }
  if (is_table) {
    node.after = key;
  } else {
    // An index's nodes hold rows, too.
    visit({{static_cast<uint32_t>(node.page.number), i}, node.table, 0, cell->payload});
  }
  Enter(node.table, cell->left_child, after, key, depth);
}

void PageScan::EndNode() {
  const Node& node = path_.back();
  if (!IsAccounted(node.page, node.cell_bytes)) {
    Lose(node.table, node.begin, node.until,
         fmt::format("page {} (table {}): its entries are not what its head says", node.page.number,
                     StoreTableName(node.table)));
  }
  path_.pop_back();
}

void PageScan::VisitCell(const Visitor& visit) {
  Node& node = path_.back();
  const bool is_table = node.page.is_table();
  const uint32_t i = node.next++;
  const auto cell = image_.ReadCell(node.page, i);
  node.cell_bytes += cell ? cell->bytes : 0;
  const auto rowid = cell ? static_cast<int64_t>(cell->rowid) : 0;
  const bool in_place = cell && (!is_table || (rowid > node.after && rowid <= node.until));
  if (!in_place || !cell->payload) {
    Lose(node.table, in_place && is_table ? rowid - 1 : node.after,
         in_place && is_table ? rowid : node.until,
         fmt::format("page {} (table {}): row {} {}", node.page.number, StoreTableName(node.table),
                     i, in_place ? "does not read to its end" : "is impossible"));
  }
  if (in_place && is_table) node.after = rowid;
  // A row in a wrong place may still be whole.
  if (cell) {
    visit({{static_cast<uint32_t>(node.page.number), i},
           in_place ? node.table : StoreTable::kOther,
           cell->rowid,
           cell->payload});
  }
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

// Visits a row on a page that no tree leads to: below a broken node, or free with a free list that
// is broken. (A page of a row's overflow does not look like a page of a tree: it begins with a
// page's number.)
void PageScan::VisitStray(const Visitor& visit) {
  if (stray_cell_ < stray_.cells) {
    const uint32_t i = stray_cell_++;
    const auto cell = image_.ReadCell(stray_, i);
    if (!cell || !cell->payload) return;
    return visit({{static_cast<uint32_t>(stray_number_), i},
                  StoreTable::kOther,
                  cell->rowid,
                  cell->payload});
  }
  stray_cell_ = stray_.cells = 0;
  if (++stray_number_ >= known_.size()) {
    stage_ = Stage::kDone;
    return;
  }
  const bool holds_rows = !known_[stray_number_] && image_.Read(stray_number_, stray_) &&
                          stray_.type != Page::kTableNode;
  if (!holds_rows) stray_.cells = 0;
}

}  // namespace tidegate
