// Bytes from a damaged file as a snapshot, as the totals of a row and as the job of a salvage: what
// decodes must encode to the same again.
#include <string>

#include "store/format/checksum.h"
#include "store/format/snapshot_body.h"
#include "store/format/store_totals.h"
#include "store/salvage/salvage_job.h"
#include "tests/fuzz/fuzz.h"

namespace tidegate {
namespace {

void DecodeAndBack(const std::string& bytes) {
  if (const auto snapshot = DecodeSnapshot(bytes); snapshot.ok()) {
    const auto again = DecodeSnapshot(EncodeSnapshot(snapshot->body, snapshot->through));
    fuzz::Check(again.ok() && again->body == snapshot->body && again->through == snapshot->through,
                "a snapshot comes back");
  }
  if (const auto totals = DecodeTotals(bytes); totals.ok()) {
    const auto again = DecodeTotals(EncodeTotals(*totals));
    fuzz::Check(again.ok() && *again == *totals, "totals come back");
  }
  constexpr std::string_view kRow = "salvage..kept-20260101T000000Z";
  if (const auto job = DecodeSalvageJob(kRow, bytes); job.ok()) {
    const auto again = DecodeSalvageJob(kRow, EncodeSalvageJob(*job));
    fuzz::Check(again.ok() && again->end_seq == job->end_seq && again->last_key == job->last_key,
                "a job comes back");
  }
}

}  // namespace
}  // namespace tidegate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(tidegate::fuzz::TextOf(data, size));
  tidegate::DecodeAndBack(bytes);
  tidegate::AppendChecksum(bytes);
  tidegate::DecodeAndBack(bytes);
  return 0;
}
