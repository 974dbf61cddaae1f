#include "reader/land/write_tally.h"

#include "core/check.h"
#include "reader/decode/stream.h"

namespace tidegate::reader {

namespace {
void Count(WriteOutcome outcome, WriteCounts& counts) {
  if (outcome == WriteOutcome::kLanded) {
    ++counts.landed;
  } else if (outcome == WriteOutcome::kDuplicate) {
    ++counts.duplicates;
  } else if (outcome == WriteOutcome::kUnavailable) {
    ++counts.unavailable;
  } else {
    ++counts.failed;
  }
}
}  // namespace

WriteTally TallyWrite(std::span<const Document> documents, std::span<const WriteResult> results) {
  CHECK(documents.size() == results.size(), "a write has one result for each document");
  WriteTally tally;
  for (size_t i = 0; i < documents.size(); ++i) {
    const Document& document = documents[i];
    CHECK(document.stream, "a document that is written carries its stream");
    Count(results[i].outcome, tally.all);
    if (document.stream->kind == StreamKind::kSales) Count(results[i].outcome, tally.sales);
    if (results[i].outcome == WriteOutcome::kLanded) ++tally.by_tenant[document.tenant];
  }
  CHECK(tally.all.landed + tally.all.duplicates + tally.all.failed + tally.all.unavailable ==
            results.size(),
        "each result is counted once");
  return tally;
}

}  // namespace tidegate::reader
