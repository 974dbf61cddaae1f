// The headers of a dead letter, a line each as name=value: no letter of ours, or one without a
// tg-dlq- header left and with a partition and an offset that can be.
#include <algorithm>

#include "reader/project/replay/stored_letter.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using tidegate::fuzz::Check;
  tidegate::reader::SourceMessage raw;
  std::string_view text = tidegate::fuzz::TextOf(data, size);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const size_t equals = std::min(line.find('='), line.size());
    raw.headers.emplace_back(line.substr(0, equals),
                             line.substr(std::min(equals + 1, line.size())));
  }
  const auto letter = tidegate::reader::ReadLetter(std::move(raw));
  if (!letter) return 0;
  Check(letter->message.partition.number >= 0, "a partition is not negative");
  Check(letter->message.offset >= 0, "an offset is not negative");
  Check(letter->message.timestamp.has_value(), "a letter has a time");
  for (const auto& [name, value] : letter->message.headers)
    Check(!name.starts_with("tg-dlq-"), "the letter's own headers are gone");
  return 0;
}
