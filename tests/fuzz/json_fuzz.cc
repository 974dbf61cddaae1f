// Any bytes: refused with a message, or a document whose canonical form is stable and means the
// same.
#include <optional>
#include <string>

#include "core/json/json.h"
#include "core/utf8.h"
#include "tests/fuzz/fuzz.h"

namespace tidegate::fuzz {
namespace {
using json::Document;
using json::Type;
using json::Value;

bool Same(Value a, Value b);

bool SameChildren(Value a, Value b) {
  auto x = a.First();
  auto y = b.First();
  for (; x && y; x = x->Next(), y = y->Next()) {
    if (!Same(*x, *y)) return false;
  }
  return !x && !y;
}

bool Same(Value a, Value b) {
  if (a.type() != b.type() || a.key() != b.key()) return false;
  switch (a.type()) {
    case Type::kNull:
      return true;
    case Type::kBool:
      return a.as_bool() == b.as_bool();
    case Type::kNumber:
      return a.number_text() == b.number_text() && a.as_number() == b.as_number();
    case Type::kString:
      return a.as_string() == b.as_string();
    case Type::kArray:
    case Type::kObject:
      return SameChildren(a, b);
  }
  return false;
}

std::string Canonical(const Document& document) {
  std::string text;
  json::Writer(text).Copy(document.root());
  return text;
}

void RoundTrip(std::string_view text) {
  const auto document = Document::Parse(text);
  if (!document.ok()) {
    Check(!document.error().message.empty(), "a refusal has a message");
    return;
  }
  const std::string canonical = Canonical(*document);
  Check(canonical.size() <= text.size(), "the canonical form is never longer");
  Check(IsUtf8(canonical), "the canonical form is UTF-8");
  const auto again = Document::Parse(canonical);
  Check(again.ok(), "the canonical form parses");
  Check(Same(document->root(), again->root()), "the canonical form means the same");
  Check(Canonical(*again) == canonical, "the canonical form is stable");
}
}  // namespace
}  // namespace tidegate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tidegate::fuzz::RoundTrip(tidegate::fuzz::TextOf(data, size));
  return 0;
}
