#include "reader/database/mongo/mongo_value.h"

#include <fmt/format.h>

#include <type_traits>

namespace tidegate::reader {

namespace {
constexpr int kMaxReadDepth = 64;

void AppendValue(bson_t* out, std::string_view name, const Value& value) {
  const int length = static_cast<int>(name.size());
  std::visit(
      [&](const auto& is) {
        using T = std::decay_t<decltype(is)>;
        if constexpr (std::is_same_v<T, std::nullptr_t>) bson_append_null(out, name.data(), length);
        if constexpr (std::is_same_v<T, bool>) bson_append_bool(out, name.data(), length, is);
        if constexpr (std::is_same_v<T, int64_t>) bson_append_int64(out, name.data(), length, is);
        if constexpr (std::is_same_v<T, double>) bson_append_double(out, name.data(), length, is);
        if constexpr (std::is_same_v<T, std::string>) {
          bson_append_utf8(out, name.data(), length, is.data(), static_cast<int>(is.size()));
        }
        if constexpr (std::is_same_v<T, WallTime>) {
          bson_append_date_time(out, name.data(), length, is.time_since_epoch().count());
        }
        if constexpr (std::is_same_v<T, Array>) {
          bson_t child;
          bson_append_array_begin(out, name.data(), length, &child);
          for (size_t i = 0; i < is.size(); ++i)
            AppendValue(&child, fmt::format_int(i).c_str(), is[i]);
          bson_append_array_end(out, &child);
        }
        if constexpr (std::is_same_v<T, Object>) {
          bson_t child;
          bson_append_document_begin(out, name.data(), length, &child);
          AppendObject(is, &child);
          bson_append_document_end(out, &child);
        }
      },
      value.is);
}

Value ReadValue(const bson_iter_t& at, int depth);

Object ReadMembers(const bson_iter_t& begin, int depth) {
  Object object;
  bson_iter_t members = begin;
  while (bson_iter_next(&members)) {
    object.members().emplace_back(bson_iter_key(&members), ReadValue(members, depth));
  }
  return object;
}

Value ReadContainer(const bson_iter_t& at, int depth) {
  bson_iter_t child;
  if (depth >= kMaxReadDepth || !bson_iter_recurse(&at, &child)) return {};
  if (BSON_ITER_HOLDS_DOCUMENT(&at)) return {ReadMembers(child, depth + 1)};
  Array array;
  while (bson_iter_next(&child)) array.push_back(ReadValue(child, depth + 1));
  return {std::move(array)};
}

Value ReadValue(const bson_iter_t& at, int depth) {
  switch (bson_iter_type(&at)) {
    case BSON_TYPE_BOOL:
      return {bson_iter_bool(&at)};
    case BSON_TYPE_INT32:
    case BSON_TYPE_INT64:
      return {bson_iter_as_int64(&at)};
    case BSON_TYPE_DOUBLE:
      return {bson_iter_double(&at)};
    case BSON_TYPE_UTF8: {
      uint32_t length = 0;
      const char* text = bson_iter_utf8(&at, &length);
      return {std::string(text, length)};
    }
    case BSON_TYPE_DATE_TIME:
      return {WallTime(std::chrono::milliseconds(bson_iter_date_time(&at)))};
    case BSON_TYPE_DOCUMENT:
    case BSON_TYPE_ARRAY:
      return ReadContainer(at, depth);
    default:
      return {};
  }
}
}  // namespace

void AppendObject(const Object& object, bson_t* out) {
  for (const auto& [name, value] : object.members()) AppendValue(out, name, value);
}

Object ReadObject(const bson_iter_t& members) {
  return ReadMembers(members, 0);
}

}  // namespace tidegate::reader
