#include "reader/database/value.h"

#include <algorithm>
#include <charconv>
#include <type_traits>

#include "core/time_format.h"

namespace tidegate::reader {

namespace {
Value NumberOf(json::Value number) {
  const std::string_view text = number.number_text();
  int64_t whole = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size()) return {whole};
  return {number.as_number()};
}
}  // namespace

bool operator==(const Object& a, const Object& b) {
  return a.members_ == b.members_;
}
bool operator==(const Value& a, const Value& b) {
  return a.is == b.is;
}

const Value* Object::Find(std::string_view name) const {
  const auto found = std::ranges::find(members_, name, &Member::first);
  return found == members_.end() ? nullptr : &found->second;
}

Value& Object::operator[](std::string_view name) {
  const auto found = std::ranges::find(members_, name, &Member::first);
  if (found != members_.end()) return found->second;
  return members_.emplace_back(std::string(name), Value{}).second;
}

int64_t Object::Integer(std::string_view name, int64_t fallback) const {
  const Value* value = Find(name);
  const auto* whole = value ? std::get_if<int64_t>(&value->is) : nullptr;
  return whole ? *whole : fallback;
}

double Object::Number(std::string_view name, double fallback) const {
  const Value* value = Find(name);
  if (!value) return fallback;
  if (const auto* whole = std::get_if<int64_t>(&value->is)) return static_cast<double>(*whole);
  const auto* number = std::get_if<double>(&value->is);
  return number ? *number : fallback;
}

std::string_view Object::Text(std::string_view name) const {
  const Value* value = Find(name);
  const auto* text = value ? std::get_if<std::string>(&value->is) : nullptr;
  return text ? std::string_view(*text) : std::string_view();
}

bool Object::Bool(std::string_view name) const {
  const Value* value = Find(name);
  const auto* truth = value ? std::get_if<bool>(&value->is) : nullptr;
  return truth && *truth;
}

std::optional<WallTime> Object::Time(std::string_view name) const {
  const Value* value = Find(name);
  if (!value) return std::nullopt;
  if (const auto* time = std::get_if<WallTime>(&value->is)) return *time;
  const auto* text = std::get_if<std::string>(&value->is);
  return text ? ParseTime(*text) : std::nullopt;
}

Object& Object::Child(std::string_view name) {
  Value& value = (*this)[name];
  if (!std::holds_alternative<Object>(value.is)) value.is = Object();
  return *std::get_if<Object>(&value.is);
}

Value ToValue(json::Value value) {
  switch (value.type()) {
    case json::Type::kNull:
      return {};
    case json::Type::kBool:
      return {value.as_bool()};
    case json::Type::kNumber:
      return NumberOf(value);
    case json::Type::kString:
      return {std::string(value.as_string())};
    case json::Type::kArray: {
      Array array;
      for (auto item = value.First(); item; item = item->Next()) array.push_back(ToValue(*item));
      return {std::move(array)};
    }
    case json::Type::kObject: {
      Object object;
      for (auto item = value.First(); item; item = item->Next())
        object.members().emplace_back(item->key(), ToValue(*item));
      return {std::move(object)};
    }
  }
  return {};
}

void WriteJson(const Value& value, json::Writer& writer) {
  std::visit(
      [&](const auto& is) {
        using T = std::decay_t<decltype(is)>;
        if constexpr (std::is_same_v<T, std::nullptr_t>) writer.Null();
        if constexpr (std::is_same_v<T, bool>) writer.Bool(is);
        if constexpr (std::is_same_v<T, int64_t>) writer.Integer(is);
        if constexpr (std::is_same_v<T, double>) writer.Double(is);
        if constexpr (std::is_same_v<T, std::string>) writer.String(is);
        if constexpr (std::is_same_v<T, WallTime>) writer.String(FormatTime(is));
        if constexpr (std::is_same_v<T, Array>) {
          writer.BeginArray();
          for (const Value& item : is) WriteJson(item, writer);
          writer.EndArray();
        }
        if constexpr (std::is_same_v<T, Object>) {
          writer.BeginObject();
          for (const auto& [name, item] : is.members()) {
            writer.Key(name);
            WriteJson(item, writer);
          }
          writer.EndObject();
        }
      },
      value.is);
}

std::string ToJson(const Object& object) {
  std::string text;
  json::Writer writer(text);
  WriteJson(Value{object}, writer);
  return text;
}

}  // namespace tidegate::reader
