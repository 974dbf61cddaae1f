#include "store/salvage/page_image.h"

#include <algorithm>
#include <span>

#include "core/check.h"
#include "store/format/big_endian.h"

namespace tidegate {
namespace {

constexpr size_t kFileHeaderBytes = 100;  // On page 1, before the page's own head.
constexpr size_t kOverflowBytes = kPageBytes - 4;

size_t HeadOf(const Page& page) {
  return page.number == 1 ? kFileHeaderBytes : 0;
}
size_t HeadBytes(const Page& page) {
  return page.is_leaf() ? 8 : 12;
}

// How much of a payload lies on the page itself.
uint64_t LocalBytes(bool is_table, uint64_t size) {
  const uint64_t most = is_table ? kPageBytes - 35 : (kPageBytes - 12) * 64 / 255 - 23;
  if (size <= most) return size;
  constexpr uint64_t kLeast = (kPageBytes - 12) * 32 / 255 - 23;
  const uint64_t even = kLeast + (size - kLeast) % kOverflowBytes;
  const uint64_t local = even <= most ? even : kLeast;
  CHECK(local < size, "a payload that overflows has a rest");
  return local;
}

std::string_view TextOf(std::span<const char> bytes) {
  return {bytes.data(), bytes.size()};
}

// Size of a value by its serial type; nullopt: reserved.
std::optional<uint64_t> ValueBytes(uint64_t serial) {
  constexpr std::array<uint8_t, 10> kFixed{0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
  if (serial < kFixed.size()) return kFixed[serial];
  if (serial < 12) return std::nullopt;
  return (serial - 12) / 2;
}

Column MakeColumn(uint64_t serial, std::string_view bytes) {
  Column column;
  column.bytes = bytes;
  if (serial >= 12) {
    column.type = serial % 2 == 0 ? Column::Type::kBlob : Column::Type::kText;
  } else if (serial == 7) {
    column.type = Column::Type::kReal;
  } else if (serial != 0) {
    column.type = Column::Type::kInteger;
    column.integer = serial == 9 ? 1 : 0;
    if (bytes.empty()) return column;
    CHECK(bytes.size() <= sizeof column.integer, "an integer has at most eight bytes");
    auto value = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int8_t>(bytes[0])));
    for (const char byte : bytes.substr(1)) value = value << 8 | static_cast<uint8_t>(byte);
    column.integer = static_cast<int64_t>(value);
  }
  return column;
}

}  // namespace

PageImage::PageImage(ByteSource& database, ByteSource* log, const LogScan& scan)
    : database_(database),
      log_(log),
      scan_(scan),
      pages_(std::max((database.size() + kPageBytes - 1) / kPageBytes, scan.database_pages)) {
  CHECK(log != nullptr || scan.pages.empty(), "a page is logged only if there is a log");
}

bool PageImage::ReadBytes(uint64_t number, Page& page) {
  page.number = number;
  if (number == 0 || number > pages_) return false;
  ++pages_read_;
  const auto logged = scan_.pages.find(number);
  if (logged != scan_.pages.end()) return log_->Read(logged->second, page.bytes);
  return database_.Read((number - 1) * kPageBytes, page.bytes);
}

bool PageImage::Read(uint64_t number, Page& page) {
  return ReadBytes(number, page) && ParsePage(page);
}

bool ParsePage(Page& page) {
  const char* const head = &page.bytes[HeadOf(page)];
  page.type = static_cast<uint8_t>(head[0]);
  if (page.type != Page::kIndexNode && page.type != Page::kTableNode &&
      page.type != Page::kIndexLeaf && page.type != Page::kTableLeaf) {
    return false;
  }
  page.cells = Big16(head + 3);
  page.right_child = page.is_leaf() ? 0 : Big32(head + 8);
  return HeadOf(page) + HeadBytes(page) + page.cells * 2 <= kPageBytes;
}

std::optional<Cell> PageImage::ReadCell(const Page& page, uint32_t index) {
  CHECK(index < page.cells, "the page has the cell");
  const size_t first = HeadOf(page) + HeadBytes(page);
  const uint32_t at = Big16(&page.bytes[first + index * 2]);
  if (at < first + page.cells * 2 || at >= kPageBytes) return std::nullopt;
  auto rest = std::span<const char>(page.bytes).subspan(at);
  Cell cell;
  if (!page.is_leaf()) {
    if (rest.size() < 4) return std::nullopt;
    cell.left_child = Big32(rest.data());
    rest = rest.subspan(4);
  }
  std::optional<uint64_t> size = 0;
  if (page.type != Page::kTableNode) size = TakeSqliteVarint(rest);
  CHECK(rest.size() <= kPageBytes - at, "a cell lies within its page");
  const auto rowid = page.is_table() ? TakeSqliteVarint(rest) : 0;
  if (!size || !rowid) return std::nullopt;
  cell.rowid = *rowid;
  cell.bytes = static_cast<uint32_t>(kPageBytes - at - rest.size());
  if (page.type == Page::kTableNode) return cell;
  cell.payload = Payload(page.is_table(), *size, rest);
  const uint64_t local = LocalBytes(page.is_table(), *size);
  cell.bytes += static_cast<uint32_t>(local + (local < *size ? 4 : 0));
  cell.bytes = std::max<uint32_t>(cell.bytes, 4);  // The least that SQLite gives to one.
  return cell;
}

bool IsAccounted(const Page& page, uint32_t cell_bytes) {
  const char* const head = &page.bytes[HeadOf(page)];
  uint64_t bytes = cell_bytes + static_cast<uint8_t>(head[7]);
  uint32_t block = Big16(head + 1);
  // They ascend, so that the chain ends.
  for (uint32_t last = 0; block != 0;) {
    if (block <= last || block + 4 > kPageBytes) return false;
    bytes += Big16(&page.bytes[block + 2]);
    last = block;
    block = Big16(&page.bytes[block]);
  }
  return Big16(head + 5) + bytes == kPageBytes;
}

// `rest`: of the page, from the payload's first byte on.
std::optional<std::string> PageImage::Payload(bool is_table, uint64_t size,
                                              std::span<const char> rest) {
  if (size > kMaxPayloadBytes || size > pages_ * kPageBytes) return std::nullopt;
  const uint64_t local = LocalBytes(is_table, size);
  if (local + (local < size ? 4 : 0) > rest.size()) return std::nullopt;
  std::string payload(TextOf(rest.first(local)));
  uint32_t next = local < size ? Big32(&rest[local]) : 0;
  Page page;
  // A chain that runs in a circle ends with the payload.
  while (payload.size() < size) {
    if (!ReadBytes(next, page)) return std::nullopt;
    payload.append(&page.bytes[4], std::min<uint64_t>(kOverflowBytes, size - payload.size()));
    next = Big32(page.bytes.data());
  }
  CHECK(payload.size() == size, "a payload has the size that its cell says");
  return payload;
}

std::optional<std::vector<Column>> ParseRecord(std::string_view payload) {
  std::span<const char> rest(payload);
  const auto head_bytes = TakeSqliteVarint(rest);
  const size_t taken = payload.size() - rest.size();
  if (!head_bytes || *head_bytes < taken || *head_bytes > payload.size()) return std::nullopt;
  std::span<const char> types = rest.first(*head_bytes - taken);
  std::string_view values = payload.substr(*head_bytes);
  std::vector<Column> columns;
  while (!types.empty()) {
    const auto serial = TakeSqliteVarint(types);
    const auto bytes = serial ? ValueBytes(*serial) : std::nullopt;
    if (!bytes || *bytes > values.size() || columns.size() == kMaxColumns) return std::nullopt;
    columns.push_back(MakeColumn(*serial, values.substr(0, *bytes)));
    values.remove_prefix(*bytes);
  }
  if (!values.empty()) return std::nullopt;
  return columns;
}

}  // namespace tidegate
