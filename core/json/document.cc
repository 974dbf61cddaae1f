#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <span>

#include "core/json/cjson_handle.h"
#include "core/json/json.h"
#include "core/json/scanner.h"

namespace tidegate::json {

namespace {
// cJSON copies a number into 64 bytes before it converts it.
constexpr size_t kLongestForCJson = 63;

int KindOf(const cJSON* node) {
  return node->type & 0xFF;
}

// Puts a zero and blanks in the place of each number that is too long for cJSON: the shape of the
// document stays.
std::string BlankLongNumbers(std::string_view text, std::span<const std::string_view> numbers) {
  std::string copy(text);
  for (const std::string_view number : numbers) {
    if (number.size() <= kLongestForCJson) continue;
    const auto offset = static_cast<size_t>(number.data() - text.data());
    copy.replace(offset, number.size(), number.size(), ' ');
    copy[offset] = '0';
  }
  return copy;
}

// Hands each number node its text. A number's valuestring is unused by cJSON: it points into
// `tokens` (NUL-terminated tokens), the token's length is in valueint, and cJSON_IsReference keeps
// cJSON_Delete from freeing it.
class NumberTexts {
 public:
  NumberTexts(std::span<const std::string_view> numbers, char* tokens)
      : numbers_(numbers), tokens_(tokens) {}

  void Attach(cJSON* node) {
    for (; node != nullptr; node = node->next) {
      if (KindOf(node) == cJSON_Number) {
        AttachOne(node);
      } else if (node->child != nullptr) {
        Attach(node->child);
      }
    }
  }

 private:
  void AttachOne(cJSON* node) {
    const std::string_view number = numbers_.front();
    numbers_ = numbers_.subspan(1);
    node->type |= cJSON_IsReference;
    node->valuestring = tokens_;
    node->valueint = static_cast<int>(number.size());
    if (number.size() > kLongestForCJson) node->valuedouble = std::strtod(tokens_, nullptr);
    tokens_ += number.size() + 1;
  }

  std::span<const std::string_view> numbers_;
  char* tokens_;
};
}  // namespace

struct Document::Tree {
  std::string tokens;  // The numbers as they were written, each with a NUL.
  CJsonHandle root;
};

Document::Document(std::unique_ptr<Tree> tree) : tree_(std::move(tree)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::Parse(std::string_view text, const Limits& limits) {
  const Result<std::vector<std::string_view>> numbers = Scan(text, limits);
  if (!numbers) return numbers.error();
  auto tree = std::make_unique<Tree>();
  bool any_long = false;
  for (const std::string_view number : *numbers) {
    tree->tokens.append(number).push_back('\0');
    any_long |= number.size() > kLongestForCJson;
  }
  if (any_long) {
    const std::string copy = BlankLongNumbers(text, *numbers);
    tree->root.reset(cJSON_ParseWithLength(copy.data(), copy.size()));
  } else {
    tree->root.reset(cJSON_ParseWithLength(text.data(), text.size()));
  }
  if (!tree->root) return Error{ErrorCode::kUnavailable, "json: out of memory"};
  NumberTexts(*numbers, tree->tokens.data()).Attach(tree->root.get());
  return Document(std::move(tree));
}

Value Document::root() const {
  return Value(tree_->root.get());
}

Type Value::type() const {
  switch (KindOf(node_)) {
    case cJSON_False:
    case cJSON_True:
      return Type::kBool;
    case cJSON_Number:
      return Type::kNumber;
    case cJSON_String:
      return Type::kString;
    case cJSON_Array:
      return Type::kArray;
    case cJSON_Object:
      return Type::kObject;
    default:
      return Type::kNull;
  }
}

bool Value::as_bool() const {
  assert(type() == Type::kBool);
  return KindOf(node_) == cJSON_True;
}

std::string_view Value::as_string() const {
  assert(is_string());
  return node_->valuestring;
}

double Value::as_number() const {
  assert(is_number());
  return node_->valuedouble;
}

std::string_view Value::number_text() const {
  assert(is_number());
  return {node_->valuestring, static_cast<size_t>(node_->valueint)};
}

std::string_view Value::key() const {
  return node_->string != nullptr ? node_->string : std::string_view();
}

std::optional<Value> Value::Find(std::string_view key) const {
  if (!is_object()) return std::nullopt;
  for (const cJSON* member = node_->child; member != nullptr; member = member->next) {
    if (member->string == key) return Value(member);
  }
  return std::nullopt;
}

std::optional<Value> Value::First() const {
  if (node_->child == nullptr) return std::nullopt;
  return Value(node_->child);
}

std::optional<Value> Value::Next() const {
  if (node_->next == nullptr) return std::nullopt;
  return Value(node_->next);
}

}  // namespace tidegate::json
