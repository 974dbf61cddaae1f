// Any bytes: refused with a message, or a document whose canonical form is stable and means the
// same, and in which cJSON, another parser, sees the same.
#include <cjson/cJSON.h>

#include <memory>
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

// cJSON takes no longer numbers.
constexpr size_t kLongestForCJson = 63;

bool SameAs(Value ours, const cJSON* theirs) {
  switch (ours.type()) {
    case Type::kNull:
      return cJSON_IsNull(theirs);
    case Type::kBool:
      return ours.as_bool() ? cJSON_IsTrue(theirs) : cJSON_IsFalse(theirs);
    case Type::kNumber:
      return cJSON_IsNumber(theirs) && theirs->valuedouble == ours.as_number();
    case Type::kString:
      return cJSON_IsString(theirs) && theirs->valuestring == ours.as_string();
    case Type::kArray:
    case Type::kObject:
      break;
  }
  if (!(ours.is_array() ? cJSON_IsArray(theirs) : cJSON_IsObject(theirs))) return false;
  const cJSON* child = theirs->child;
  for (auto value = ours.First(); value; value = value->Next(), child = child->next) {
    if (child == nullptr || !SameAs(*value, child)) return false;
    if (ours.is_object() && value->key() != child->string) return false;
  }
  return child == nullptr;
}

bool HasLongNumber(Value value) {
  if (value.is_number()) return value.number_text().size() > kLongestForCJson;
  for (auto child = value.First(); child; child = child->Next()) {
    if (HasLongNumber(*child)) return true;
  }
  return false;
}

void SecondOpinion(std::string_view text, const Document& document) {
  if (HasLongNumber(document.root())) return;
  const std::unique_ptr<cJSON, decltype(&cJSON_Delete)> theirs(
      cJSON_ParseWithLength(text.data(), text.size()), &cJSON_Delete);
  Check(theirs != nullptr, "cJSON takes what we take");
  Check(SameAs(document.root(), theirs.get()), "cJSON sees the same");
}

void RoundTrip(std::string_view text) {
  const auto document = Document::Parse(text);
  if (!document.ok()) {
    Check(!document.error().message.empty(), "a refusal has a message");
    return;
  }
  SecondOpinion(text, *document);
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
