// A stored document: none of ours, or one whose message's place can be.
#include "reader/project/rebuild/landed_document.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tidegate::fuzz::Check;
  using tidegate::reader::BuiltInStreams;
  static const auto streams =
      tidegate::reader::StreamTable::Make({BuiltInStreams().begin(), BuiltInStreams().end()})
          .value();
  const auto document = tidegate::reader::ReadLandedDocument(
      {"tidegate", "heartbeats"}, tidegate::fuzz::TextOf(data, size), streams);
  if (!document) return 0;
  Check(document->value.root().is_object(), "a document is an object");
  Check(!document->provenance.topic.empty(), "a document tells its topic");
  Check(document->provenance.partition >= 0, "a partition is not negative");
  Check(document->provenance.offset >= 0, "an offset is not negative");
  return 0;
}
