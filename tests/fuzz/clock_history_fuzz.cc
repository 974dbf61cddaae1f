// The clock's history as it may be read from a store: what is taken can be written, and reads back.
#include "core/clock_history.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tidegate::ClockHistory;
  const auto history = ClockHistory::Parse(tidegate::fuzz::TextOf(data, size));
  if (!history.ok()) return 0;
  tidegate::fuzz::Check(history->size() <= ClockHistory::kMaxBoots, "it is bounded");
  const auto again = ClockHistory::Parse(history->Text());
  tidegate::fuzz::Check(again.ok() && *again == *history, "it reads back");
  return 0;
}
