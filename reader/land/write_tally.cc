#include "reader/land/write_tally.h"

#include <cassert>

namespace tidegate::reader {

namespace {
void Count(Outcome outcome, Outcomes& outcomes) {
  if (outcome == Outcome::kLanded) {
    ++outcomes.landed;
  } else if (outcome == Outcome::kDuplicate) {
    ++outcomes.duplicates;
  } else {
    ++outcomes.failed;
  }
}
}  // namespace

WriteTally TallyWrite(std::span<const Document> documents, std::span<const WriteResult> results,
                      const StreamTable& streams) {
  assert(documents.size() == results.size());
  WriteTally tally;
  // Documents of one topic come in a row.
  std::string_view topic;
  bool sales = false;
  for (size_t i = 0; i < documents.size(); ++i) {
    const Document& document = documents[i];
    if (i == 0 || document.provenance.topic != topic) {
      topic = document.provenance.topic;
      const auto match = streams.Find(topic);
      sales = match && match->stream->kind == StreamKind::kSales;
    }
    Count(results[i].outcome, tally.all);
    if (sales) Count(results[i].outcome, tally.sales);
    if (results[i].outcome == Outcome::kLanded) ++tally.by_tenant[document.tenant];
  }
  return tally;
}

}  // namespace tidegate::reader
