// A snapshot's body: refused, or read into a state whose bytes are read to the same state again.
#include "agent/pipeline/fold.h"
#include "agent/pipeline/fold_state.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto state = tidegate::DecodeFoldState(tidegate::fuzz::TextOf(data, size));
  if (!state.ok()) return 0;
  const auto again = tidegate::DecodeFoldState(tidegate::EncodeFoldState(*state));
  tidegate::fuzz::Check(again.ok() && *again == *state, "a state survives its bytes");
  tidegate::Fold fold({*tidegate::ParseRule("hot", "t > 50")}, {.assets = 4});
  fold.Load(*state);
  fold.BeginBoot();
  tidegate::fuzz::Check(fold.assets() <= 4, "the bound holds");
  return 0;
}
