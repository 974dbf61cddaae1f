#include "store/file/dead_letter_table.h"

#include <algorithm>
#include <utility>

#include "core/check.h"

namespace tidegate {
namespace {

// The same sum as BytesOf, kRowBytes apart. The length of a text would end at a NUL.
#define TIDEGATE_LETTER_BYTES                                                             \
  "length(CAST(input AS BLOB))+length(CAST(origin AS BLOB))+length(CAST(reason AS BLOB))" \
  "+length(payload)"
constexpr std::string_view kOldest =
    "SELECT id, " TIDEGATE_LETTER_BYTES " FROM dead_letter ORDER BY id LIMIT 1";
constexpr std::string_view kTotals =
    "SELECT count(*), sum(" TIDEGATE_LETTER_BYTES ") FROM dead_letter";
#undef TIDEGATE_LETTER_BYTES

std::string_view Cut(std::string_view text, uint64_t bytes) {
  return text.substr(0, bytes);
}

}  // namespace

Result<DeadLetterTable> DeadLetterTable::Prepare(sqlite::Database& database, uint64_t max_bytes,
                                                 uint64_t max_payload_bytes) {
  CHECK(max_payload_bytes <= max_bytes, "a letter fits into the limit of its table");
  DeadLetterTable table(max_bytes, max_payload_bytes);
  const std::pair<sqlite::Statement*, std::string_view> statements[] = {
      {&table.insert_,
       "INSERT INTO dead_letter(time, input, origin, reason, payload) VALUES(?1, ?2, ?3, ?4, ?5)"},
      {&table.oldest_, kOldest},
      {&table.delete_, "DELETE FROM dead_letter WHERE id=?1"},
      {&table.totals_, kTotals}};
  for (const auto& [statement, sql] : statements) {
    if (auto status = database.PrepareInto(*statement, sql); !status.ok()) return status.error();
  }
  return table;
}

uint64_t DeadLetterTable::BytesOf(const DeadLetter& letter) const {
  return kRowBytes + std::min(letter.input.size(), kMaxTextBytes) +
         std::min(letter.origin.size(), kMaxTextBytes) +
         std::min(letter.reason.size(), kMaxTextBytes) +
         std::min<uint64_t>(letter.payload.size(), max_payload_bytes_);
}

uint64_t DeadLetterTable::BytesOf(std::span<const DeadLetter> letters) const {
  uint64_t bytes = 0;
  for (const DeadLetter& letter : letters) bytes += BytesOf(letter);
  return bytes;
}

Status DeadLetterTable::Add(std::span<const DeadLetter> letters, DeadLetterTotals& totals) {
  for (const DeadLetter& letter : letters) {
    auto status = insert_.Bind(1, letter.time.time_since_epoch().count())
                      .Bind(2, Cut(letter.input, kMaxTextBytes))
                      .Bind(3, Cut(letter.origin, kMaxTextBytes))
                      .Bind(4, Cut(letter.reason, kMaxTextBytes))
                      .BindBlob(5, Cut(letter.payload, max_payload_bytes_))
                      .Run();
    if (!status.ok()) return status;
    ++totals.letters;
    totals.bytes += BytesOf(letter);
    while (totals.bytes > max_bytes_ && totals.letters > 1) {
      if (status = DropOldest(totals); !status.ok()) return status;
    }
  }
  return {};
}

Status DeadLetterTable::DropOldest(DeadLetterTotals& totals) {
  CHECK(totals.letters > 1, "the newest dead letter is never dropped");
  int64_t id = 0;
  {
    const sqlite::StatementScope scope(oldest_);
    const auto row = oldest_.Step();
    if (!row.ok()) return row.error();
    if (!*row) {
      totals = {0, 0, totals.dropped};
      return {};
    }
    id = oldest_.Int(0);
    totals.bytes -= std::min(totals.bytes, kRowBytes + static_cast<uint64_t>(oldest_.Int(1)));
  }
  --totals.letters;
  ++totals.dropped;
  return delete_.Bind(1, id).Run();
}

Result<DeadLetterTotals> DeadLetterTable::Totals() {
  const sqlite::StatementScope scope(totals_);
  const auto row = totals_.Step();
  if (!row.ok()) return row.error();
  DeadLetterTotals totals;
  if (!*row) return totals;
  totals.letters = static_cast<uint64_t>(totals_.Int(0));
  totals.bytes = totals.letters * kRowBytes + static_cast<uint64_t>(totals_.Int(1));
  return totals;
}

}  // namespace tidegate
