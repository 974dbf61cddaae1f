#include "store/format/store_totals.h"

#include <xxhash.h>

#include <algorithm>

#include "core/check.h"
#include "core/varint.h"

namespace tidegate {
namespace {

// Short, because each row pays for it, but enough to recognise a damaged page.
constexpr size_t kSumBytes = 2;

uint16_t SumOf(std::string_view bytes) {
  return static_cast<uint16_t>(XXH64(bytes.data(), bytes.size(), 0));
}

// Calls `field` for each number, in the order in which they are written.
template <typename Totals, typename Field>
bool ForEachField(Totals& totals, Field&& field) {
  for (auto& records : totals.records) {
    if (!field(records)) return false;
  }
  for (auto& seq : totals.delivered) {
    if (!field(seq)) return false;
  }
  return field(totals.batches) && field(totals.next_seq) && field(totals.letters) &&
         field(totals.letter_bytes);
}

}  // namespace

std::string EncodeTotals(const StoreTotals& totals) {
  CHECK(totals.next_seq != 0 && totals.next_seq <= kMaxNextSeq, "the next seq fits into a key");
  CHECK(std::ranges::max(totals.delivered) <= kMaxNextSeq, "a mark is one that DecodeTotals takes");
  std::string out;
  ForEachField(totals, [&](uint64_t number) {
    PutVarint(out, number);
    return true;
  });
  const uint16_t sum = SumOf(out);
  out.push_back(static_cast<char>(sum));
  out.push_back(static_cast<char>(sum >> 8));
  return out;
}

Result<StoreTotals> DecodeTotals(std::string_view bytes) {
  const Error corrupt{ErrorCode::kCorrupt, "totals of the store: damaged"};
  if (bytes.size() < kSumBytes) return corrupt;
  const std::string_view summed = bytes.substr(0, bytes.size() - kSumBytes);
  const auto low = static_cast<uint8_t>(bytes[summed.size()]);
  const auto high = static_cast<uint8_t>(bytes[summed.size() + 1]);
  if (SumOf(summed) != (low | high << 8)) return corrupt;
  StoreTotals totals;
  ByteReader reader(summed);
  const bool complete = ForEachField(totals, [&](uint64_t& number) {
    const auto value = reader.Varint();
    if (value) number = *value;
    return value.has_value();
  });
  if (!complete || reader.left() != 0 || totals.next_seq == 0) return corrupt;
  if (std::max(totals.next_seq, std::ranges::max(totals.delivered)) > kMaxNextSeq) return corrupt;
  return totals;
}

}  // namespace tidegate
