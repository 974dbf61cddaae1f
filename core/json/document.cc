#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "core/check.h"
#include "core/json/json.h"
#include "core/json/scanner.h"

namespace tidegate::json {

Document::Document() = default;
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::Parse(std::string_view text, const Limits& limits) {
  if (text.size() > limits.max_bytes) {
    return Error{ErrorCode::kRejected, fmt::format("json: {} bytes, over the limit of {}",
                                                   text.size(), limits.max_bytes)};
  }
  Document document;
  document.text_ = std::make_unique_for_overwrite<char[]>(text.size());
  text.copy(document.text_.get(), text.size());
  auto nodes = Scan({document.text_.get(), text.size()}, limits);
  if (!nodes.ok()) return nodes.error();
  document.nodes_ = *std::move(nodes);
  return document;
}

Value Document::root() const {
  CHECK(!nodes_.empty(), "the document was not moved from");
  return Value(nodes_.data());
}

size_t Document::values() const {
  return nodes_.size();
}

Type Value::type() const {
  return node_->type;
}

bool Value::as_bool() const {
  CHECK(type() == Type::kBool, "the value is a bool");
  return node_->text == "true";
}

std::string_view Value::as_string() const {
  CHECK(is_string(), "the value is a string");
  return node_->text;
}

double Value::as_number() const {
  CHECK(is_number(), "the value is a number");
  const std::string_view text = node_->text;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  // Beyond the range of a double, strtod(3) returns an infinity or a number near zero.
  if (error == std::errc::result_out_of_range)
    return std::strtod(std::string(text).c_str(), nullptr);
  return number;
}

std::string_view Value::number_text() const {
  CHECK(is_number(), "the value is a number");
  return node_->text;
}

size_t Value::source_bytes() const {
  CHECK(is_object() || is_array(), "the value is an object or an array");
  return node_->text.size();
}

std::string_view Value::key() const {
  return node_->key;
}

std::optional<Value> Value::Find(std::string_view key) const {
  if (!is_object() || !node_->has_children) return std::nullopt;
  for (const Node* member = node_ + 1;; member += member->next) {
    if (member->key == key) return Value(member);
    if (member->next == 0) return std::nullopt;
  }
}

std::optional<Value> Value::First() const {
  if (!node_->has_children) return std::nullopt;
  return Value(node_ + 1);
}

std::optional<Value> Value::Next() const {
  if (node_->next == 0) return std::nullopt;
  return Value(node_ + node_->next);
}

}  // namespace tidegate::json
