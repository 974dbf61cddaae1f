// Bytes of a damaged or hostile store file and its log into the scan that reads them without
// SQLite. The first two bytes say how many pages of the rest are the database; what follows is the
// log.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "store/salvage/store_scan.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidegate;
  const std::string_view input = fuzz::TextOf(data, size);
  if (input.size() < 2) return 0;
  const size_t pages = static_cast<size_t>(data[0]) << 8 | data[1];
  const size_t split = std::min(input.size(), 2 + pages * kPageBytes);
  MemoryBytes database(input.substr(2, split - 2));
  MemoryBytes log(input.substr(split));
  StoreScan scan(database, &log);
  scan.Run();
  Seq next = 1;
  for (const FoundBatch& batch : scan.batches()) {
    fuzz::Check(batch.count > 0, "a batch has records");
    fuzz::Check(scan.Load(batch).has_value(), "a batch that was found reads again");
    next = std::max(next, SeqOf(batch.key) + batch.count);
  }
  for (const auto& [id, place] : scan.letters()) (void)scan.Letter(place);
  for (const Seq next_seq : {Seq{0}, next}) {
    for (const LostSeqs& lost : scan.Lost(next_seq)) {
      fuzz::Check(lost.first <= lost.last, "what is lost has a beginning and an end");
    }
  }
  return 0;
}
