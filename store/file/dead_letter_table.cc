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

}  // namespace

Result<DeadLetterTable> DeadLetterTable::Prepare(sqlite::Database& database, uint64_t max_bytes,
                                                 uint64_t max_payload_bytes) {
  CHECK(max_payload_bytes <= max_bytes, "a letter fits into the limit of its table");
  DeadLetterTable table(max_bytes, max_payload_bytes);
  const std::pair<sqlite::Statement*, std::string_view> statements[] = {
      {&table.insert_,
       "INSERT INTO dead_letter(time, input, origin, reason, payload, whole_bytes) "
       "VALUES(?1, ?2, ?3, ?4, ?5, ?6)"},
      {&table.oldest_, kOldest},
      {&table.delete_, "DELETE FROM dead_letter WHERE id=?1"},
      {&table.totals_, kTotals}};
  for (const auto& [statement, sql] : statements) {
    if (auto status = database.PrepareInto(*statement, sql); !status.ok()) return status.error();
  }
  return table;
}

std::string_view DeadLetterTable::CutPayload(const DeadLetter& letter) const {
  return std::string_view(letter.payload).substr(0, max_payload_bytes_);
}

uint64_t DeadLetterTable::BytesOf(const DeadLetter& letter) const {
  return kRowBytes + CutLetterText(letter.input).size() + CutLetterText(letter.origin).size() +
         CutLetterText(letter.reason).size() + CutPayload(letter).size();
}

Status DeadLetterTable::Add(std::span<const DeadLetter> letters, DeadLetterTotals& totals) {
  for (const DeadLetter& letter : letters) {
    if (auto status = Insert(letter, totals); !status.ok()) return status;
    while (totals.bytes > max_bytes_ && totals.letters > 1) {
      if (auto dropped = DropOldest(totals); !dropped.ok()) return dropped.error();
    }
  }
  return {};
}

Status DeadLetterTable::Insert(const DeadLetter& letter, DeadLetterTotals& totals) {
  const std::string_view payload = CutPayload(letter);
  const bool truncated = letter.payload_bytes() > payload.size();
  insert_.Bind(1, letter.time.time_since_epoch().count())
      .Bind(2, CutLetterText(letter.input))
      .Bind(3, CutLetterText(letter.origin))
      .Bind(4, CutLetterText(letter.reason))
      .BindBlob(5, payload);
  // A letter that is whole has a null there.
  if (truncated) insert_.Bind(6, static_cast<int64_t>(letter.payload_bytes()));
  if (auto status = insert_.Run(); !status.ok()) return status;
  ++totals.letters;
  totals.bytes += BytesOf(letter);
  if (truncated) ++totals.truncated;
  return {};
}

Result<bool> DeadLetterTable::DropOldest(DeadLetterTotals& totals) {
  int64_t id = 0;
  {
    const sqlite::StatementScope scope(oldest_);
    const auto row = oldest_.Step();
    if (!row.ok()) return row.error();
    if (!*row) {
      totals.letters = totals.bytes = 0;
      return false;
    }
    id = oldest_.Int(0);
    totals.bytes -= std::min(totals.bytes, kRowBytes + static_cast<uint64_t>(oldest_.Int(1)));
  }
  totals.letters -= std::min<uint64_t>(totals.letters, 1);
  ++totals.dropped;
  if (auto status = delete_.Bind(1, id).Run(); !status.ok()) return status.error();
  return true;
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
