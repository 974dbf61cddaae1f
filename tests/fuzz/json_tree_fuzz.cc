// Any bytes: refused with a message, or a tree whose text, once printed, is read back with the same
// keys and texts. (Numbers are doubles, and those at the end of their range print as null.)
#include <cmath>
#include <string>

#include "core/json/tree.h"
#include "core/utf8.h"
#include "tests/fuzz/fuzz.h"

namespace tidegate::fuzz {
namespace {
constexpr json::Limits kLimits{.max_bytes = 64 * 1024, .max_depth = 24, .max_values = 2'000};

void ReadMembers(const json::Item& item, size_t depth) {
  Check(depth <= kLimits.max_depth, "no deeper than the limit");
  size_t count = 0;
  for (auto child = item.First(); child; child = child->Next()) {
    Check(++count <= kLimits.max_values, "no more than the limit");
    if (item.is_object()) {
      Check(item.Find(child->key()).has_value(), "a member is found by its key");
      if (const auto text = item.Text(child->key()); text.ok()) Check(IsUtf8(*text), "UTF-8");
      if (const auto number = item.Number(child->key()); number.ok())
        Check(std::isfinite(*number), "a number is finite");
      if (const auto number = item.Integer(child->key()); number.ok())
        Check(*number >= -(int64_t{1} << 53) && *number <= int64_t{1} << 53, "exact");
      if (const auto flag = item.Flag(child->key()); flag.ok())
        Check(!item.Number(child->key()).ok(), "of one type");
    }
    ReadMembers(*child, depth + 1);
  }
}

bool Same(const json::Item& a, const json::Item& b) {
  auto x = a.First();
  auto y = b.First();
  for (; x && y; x = x->Next(), y = y->Next()) {
    if (x->key() != y->key() || !Same(*x, *y)) return false;
    const auto text = a.Text(x->key());
    const auto other = b.Text(x->key());
    if (text.ok() != other.ok() || (text.ok() && *text != *other)) return false;
  }
  return !x && !y;
}

// What was read, as the text of an answer and as bytes inside one.
void WriteBack(std::string_view bytes, const std::string& printed) {
  json::Tree tree;
  json::Members root = tree.members();
  root.Text("text", bytes);
  root.Raw("raw", printed);
  const std::string line = tree.Print();
  Check(IsUtf8(line), "an answer is UTF-8");
  Check(line.find('\n') == std::string::npos && line.find('\0') == std::string::npos, "one line");
}

void RoundTrip(std::string_view bytes) {
  const auto tree = json::Tree::Parse(bytes, kLimits);
  if (!tree.ok()) {
    Check(!tree.error().message.empty(), "a refusal has a message");
    return WriteBack(bytes, "");
  }
  Check(IsUtf8(bytes) && bytes.size() <= kLimits.max_bytes, "within the limits");
  ReadMembers(tree->root(), 0);
  const std::string printed = tree->Print();
  const auto again =
      json::Tree::Parse(printed, {.max_bytes = 8 * kLimits.max_bytes, .max_depth = 24});
  Check(again.ok(), "what is printed is read back");
  Check(Same(tree->root(), again->root()), "what is printed means the same");
  WriteBack(bytes, printed);
}
}  // namespace
}  // namespace tidegate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  tidegate::fuzz::RoundTrip(tidegate::fuzz::TextOf(data, size));
  return 0;
}
