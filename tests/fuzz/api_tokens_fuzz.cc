// The file of tokens: read, or refused with a reason that shows nothing of it. What follows the
// last NUL is asked for.
#include <algorithm>

#include "reader/serve/tokens.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tidegate::fuzz::Check;
  using tidegate::reader::TokenTable;
  const std::string_view text = tidegate::fuzz::TextOf(data, size);
  const size_t end = std::min(text.rfind('\0'), text.size());
  const auto table = TokenTable::Parse(text.substr(0, end));
  if (!table.ok()) {
    Check(!table.error().message.empty(), "a refusal has a message");
    return 0;
  }
  const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  Check(table->size() >= 1 && table->size() <= lines, "a line has one token at most");
  const auto* found = table->Find(text.substr(std::min(end + 1, text.size())), nullptr);
  Check(found == nullptr || found->every_tenant || !found->tenants.empty(), "a token has tenants");
  return 0;
}
