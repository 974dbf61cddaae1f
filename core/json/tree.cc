#include "core/json/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <new>
#include <system_error>
#include <utility>

#include "core/check.h"
#include "core/json/cjson_handle.h"
#include "core/utf8.h"

namespace tidegate::json {

namespace {
// cJSON prints a double with 15 digits, and takes one that differs in the last place for the same.
constexpr uint64_t kMostAsDouble = 999'999'999'999'999;
// Up to here every integer is a double of its own.
constexpr double kMostExact = 9'007'199'254'740'992;
// cJSON's own limit is twice as deep.
constexpr size_t kDeepest = 500;
constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr size_t kShownMemberBytes = 40;

CJsonPtr Made(cJSON* item) {
  if (item == nullptr) throw std::bad_alloc();
  return CJsonPtr(item);
}

std::string Printed(const cJSON* item) {
  const CJsonTextPtr text(cJSON_PrintUnformatted(item));
  if (text == nullptr) throw std::bad_alloc();
  return text.get();
}

std::string Repaired(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const size_t size = Utf8SequenceBytes(bytes);
    text += size > 0 ? bytes.substr(0, size) : kReplacement;
    bytes.remove_prefix(std::max<size_t>(size, 1));
  }
  return text;
}

// cJSON's texts end at the first NUL, so each piece between two is quoted on its own.
std::string QuotedWithNuls(const std::string& text) {
  std::string quoted = "\"";
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('\0', at), text.size());
    const std::string piece =
        Printed(Made(cJSON_CreateString(text.substr(at, end - at).c_str())).get());
    quoted.append(piece, 1, piece.size() - 2);
    if (end < text.size()) quoted += "\\u0000";
    at = end + 1;
  }
  return quoted += '"';
}

CJsonPtr TextItem(std::string_view text) {
  const std::string utf8 = IsUtf8(text) ? std::string(text) : Repaired(text);
  if (utf8.find('\0') == std::string::npos) return Made(cJSON_CreateString(utf8.c_str()));
  return Made(cJSON_CreateRaw(QuotedWithNuls(utf8).c_str()));
}

CJsonPtr IntegerItem(bool negative, uint64_t magnitude) {
  if (magnitude <= kMostAsDouble) {
    const auto number = static_cast<double>(magnitude);
    return Made(cJSON_CreateNumber(negative ? -number : number));
  }
  return Made(cJSON_CreateRaw(fmt::format("{}{}", negative ? "-" : "", magnitude).c_str()));
}

CJsonPtr NumberItem(double number) {
  if (!std::isfinite(number)) return Made(cJSON_CreateNull());
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size() - 1, number);
  CHECK(error == std::errc{}, "the shortest text of a double has at most 24 characters");
  return Made(cJSON_CreateRaw(text.data()));
}

// Returns the item, which the object then owns.
cJSON* Add(cJSON* object, std::string_view key, CJsonPtr item) {
  CHECK(key.find('\0') == std::string_view::npos, "a key has no NUL");
  if (!cJSON_AddItemToObject(object, std::string(key).c_str(), item.get())) throw std::bad_alloc();
  return item.release();
}

// Returns the item, which the array then owns.
cJSON* Append(cJSON* array, CJsonPtr item) {
  if (!cJSON_AddItemToArray(array, item.get())) throw std::bad_alloc();
  return item.release();
}

Error Rejected(std::string what) {
  return Error{ErrorCode::kRejected, "json: " + std::move(what)};
}

// What cJSON does not bound or refuse: depth, count, and NULs, at which its texts would end.
Status CheckBounds(std::string_view text, const Limits& limits) {
  const size_t max_depth = std::min(limits.max_depth, kDeepest);
  size_t depth = 0, values = 1;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\0') return Rejected(fmt::format("NUL at byte {}", i));
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted) {
      if (c != '\\') continue;
      if (text.substr(i, 6) == "\\u0000") return Rejected(fmt::format("NUL at byte {}", i));
      ++i;
    } else if (c == '{' || c == '[') {
      if (++depth > max_depth) return Rejected(fmt::format("nested too deep at byte {}", i));
      ++values;
    } else if (c == '}' || c == ']') {
      depth -= std::min<size_t>(depth, 1);
    } else if (c == ',') {
      ++values;
    }
    if (values > limits.max_values) return Rejected("too many values");
  }
  return {};
}

bool IsBlank(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

Error WrongMember(std::string_view key, std::string_view expected) {
  return Rejected(
      fmt::format("member {:?}: expected {}", key.substr(0, kShownMemberBytes), expected));
}
}  // namespace

void Members::Text(std::string_view key, std::string_view text) {
  Add(object_, key, TextItem(text));
}

void Members::Integer(std::string_view key, int64_t number) {
  const auto bits = static_cast<uint64_t>(number);
  Add(object_, key, IntegerItem(number < 0, number < 0 ? 0 - bits : bits));
}

void Members::Unsigned(std::string_view key, uint64_t number) {
  Add(object_, key, IntegerItem(false, number));
}

void Members::Number(std::string_view key, double number) {
  Add(object_, key, NumberItem(number));
}

void Members::Flag(std::string_view key, bool flag) {
  Add(object_, key, Made(cJSON_CreateBool(flag)));
}

void Members::Null(std::string_view key) {
  Add(object_, key, Made(cJSON_CreateNull()));
}

void Members::Raw(std::string_view key, const std::string& json) {
  if (json.empty()) return Null(key);
  Add(object_, key, Made(cJSON_CreateRaw(json.c_str())));
}

Members Members::Object(std::string_view key) {
  return Members(Add(object_, key, Made(cJSON_CreateObject())));
}

Elements Members::Array(std::string_view key) {
  return Elements(Add(object_, key, Made(cJSON_CreateArray())));
}

void Elements::Text(std::string_view text) {
  Append(array_, TextItem(text));
}

Members Elements::Object() {
  return Members(Append(array_, Made(cJSON_CreateObject())));
}

bool Item::is_object() const {
  return cJSON_IsObject(item_);
}

std::string_view Item::key() const {
  return item_->string != nullptr ? item_->string : std::string_view();
}

std::optional<Item> Item::Find(std::string_view key) const {
  if (!is_object()) return std::nullopt;
  for (const cJSON* member = item_->child; member != nullptr; member = member->next) {
    if (member->string != nullptr && member->string == key) return Item(member);
  }
  return std::nullopt;
}

std::optional<Item> Item::First() const {
  return item_->child != nullptr ? std::optional(Item(item_->child)) : std::nullopt;
}

std::optional<Item> Item::Next() const {
  return item_->next != nullptr ? std::optional(Item(item_->next)) : std::nullopt;
}

Result<std::string_view> Item::Text(std::string_view key) const {
  const auto member = Find(key);
  if (!member || !cJSON_IsString(member->item_)) return WrongMember(key, "a text");
  return std::string_view(member->item_->valuestring);
}

Result<bool> Item::Flag(std::string_view key) const {
  const auto member = Find(key);
  if (!member || !cJSON_IsBool(member->item_)) return WrongMember(key, "true or false");
  return cJSON_IsTrue(member->item_) != 0;
}

Result<double> Item::Number(std::string_view key) const {
  const auto member = Find(key);
  if (!member || !cJSON_IsNumber(member->item_) || !std::isfinite(member->item_->valuedouble))
    return WrongMember(key, "a number");
  return member->item_->valuedouble;
}

Result<int64_t> Item::Integer(std::string_view key) const {
  const auto number = Number(key);
  if (!number.ok() || std::abs(*number) > kMostExact || std::trunc(*number) != *number)
    return WrongMember(key, "a whole number up to 2^53");
  return static_cast<int64_t>(*number);
}

Tree::Tree() : root_(Made(cJSON_CreateObject()).release()) {}

void Tree::Delete::operator()(cJSON* root) const {
  cJSON_Delete(root);
}

Result<Tree> Tree::Parse(std::string_view text, const Limits& limits) {
  if (text.size() > limits.max_bytes)
    return Rejected(fmt::format("{} bytes, over the limit of {}", text.size(), limits.max_bytes));
  if (!IsUtf8(text)) return Rejected("invalid UTF-8");
  if (Status bounds = CheckBounds(text, limits); !bounds.ok()) return bounds.error();
  // With a NUL at its end, after which versions before 1.7.18 may look.
  const std::string copy(text);
  const char* end = nullptr;
  Tree tree(cJSON_ParseWithLengthOpts(copy.data(), copy.size(), &end, false));
  const auto at = static_cast<size_t>(end != nullptr ? end - copy.data() : 0);
  if (tree.root_ == nullptr) return Rejected(fmt::format("not valid at byte {}", at));
  if (!std::ranges::all_of(copy.begin() + static_cast<ptrdiff_t>(at), copy.end(), IsBlank))
    return Rejected(fmt::format("unexpected text after the value at byte {}", at));
  return tree;
}

Members Tree::members() {
  CHECK(root().is_object(), "members are added to an object");
  return Members(root_.get());
}

Item Tree::root() const {
  return Item(root_.get());
}

std::string Tree::Print() const {
  return Printed(root_.get());
}

}  // namespace tidegate::json
