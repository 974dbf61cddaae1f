// An enrichment's setting, the key that goes into its URL, and what a source replies. The input is
// split at its first two newlines.
#include <algorithm>
#include <string>

#include "reader/enrich/answer.h"
#include "reader/enrich/enrich_source.h"
#include "tests/fuzz/fuzz.h"

using tidegate::fuzz::Check;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tidegate::reader;
  std::string_view rest = tidegate::fuzz::TextOf(data, size);
  const auto line = [&rest] {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return text;
  };
  const auto source = ParseEnrichSource("fuzz", line());
  const std::string_view key = line();
  if (source.ok()) {
    const std::string url =
        source->url.Expand({.tenant = std::string(key), .value = std::string(key)});
    const std::string& text = source->url.text();
    const size_t field = text.find('{');
    Check(url.starts_with(text.substr(0, field)), "scheme and host stay as they are");
    size_t before = 0;
    size_t after = 0;
    for (char c : text) before += c == '/' || c == '?' || c == '&' || c == '#' || c == '=';
    for (char c : url) after += c == '/' || c == '?' || c == '&' || c == '#' || c == '=';
    Check(before == after, "a key adds no part to the URL");
    for (char c : url) Check(c > ' ' && c < '\x7f', "the URL is printable");
  } else {
    Check(!source.error().message.empty(), "it says why");
  }
  for (long status : {200L, 404L, 500L}) {
    const SourceAnswer answer = ReadAnswer(status, rest);
    Check((answer.kind == AnswerKind::kValue) == (answer.value != nullptr), "a value is there");
    Check(answer.kind != AnswerKind::kFailed || !answer.reason.empty(), "a failure says why");
  }
  return 0;
}
