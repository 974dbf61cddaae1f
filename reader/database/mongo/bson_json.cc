#include "reader/database/mongo/bson_json.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <span>
#include <string_view>

#include "core/json/json.h"
#include "core/time_format.h"
#include "core/utf8.h"

namespace tidegate::reader {

namespace {
constexpr int kMaxServerDepth = 100;  // MongoDB's own limit.

std::string WellFormed(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t bytes = Utf8SequenceBytes(text);
    if (bytes == 0) {
      out += "\xEF\xBF\xBD";
    } else {
      out += text.substr(0, bytes);
    }
    text.remove_prefix(std::max<size_t>(bytes, 1));
  }
  return out;
}

void WriteText(std::string_view text, json::Writer& writer) {
  if (IsUtf8(text)) return writer.String(text);
  writer.String(WellFormed(text));
}

void WriteDouble(double number, json::Writer& writer) {
  if (std::isfinite(number)) return writer.Double(number);
  writer.String(std::isnan(number) ? "NaN" : number < 0 ? "-Infinity" : "Infinity");
}

void WriteDecimal(const bson_iter_t& value, json::Writer& writer) {
  bson_decimal128_t decimal;
  std::array<char, BSON_DECIMAL128_STRING> text{};
  if (!bson_iter_decimal128(&value, &decimal)) return writer.Null();
  bson_decimal128_to_string(&decimal, text.data());
  writer.String(text.data());
}

void WriteBinary(const bson_iter_t& value, json::Writer& writer) {
  uint32_t size = 0;
  const uint8_t* bytes = nullptr;
  bson_iter_binary(&value, nullptr, &size, &bytes);
  writer.String(fmt::format("{:02x}", fmt::join(std::span(bytes, size), "")));
}

void WriteMembers(bson_iter_t members, bool keys, int depth, json::Writer& writer);

void WriteNested(const bson_iter_t& value, int depth, json::Writer& writer) {
  const bool keys = BSON_ITER_HOLDS_DOCUMENT(&value);
  bson_iter_t members;
  if (depth >= kMaxServerDepth || !bson_iter_recurse(&value, &members)) return writer.Null();
  WriteMembers(members, keys, depth + 1, writer);
}

void WriteValue(const bson_iter_t& value, int depth, json::Writer& writer) {
  switch (bson_iter_type(&value)) {
    case BSON_TYPE_DOUBLE:
      return WriteDouble(bson_iter_double(&value), writer);
    case BSON_TYPE_UTF8: {
      uint32_t size = 0;
      const char* text = bson_iter_utf8(&value, &size);
      return WriteText({text, size}, writer);
    }
    case BSON_TYPE_DOCUMENT:
    case BSON_TYPE_ARRAY:
      return WriteNested(value, depth, writer);
    case BSON_TYPE_BOOL:
      return writer.Bool(bson_iter_bool(&value));
    case BSON_TYPE_INT32:
    case BSON_TYPE_INT64:
      return writer.Integer(bson_iter_as_int64(&value));
    case BSON_TYPE_DATE_TIME:
      return writer.String(
          FormatTime(WallTime(std::chrono::milliseconds(bson_iter_date_time(&value)))));
    case BSON_TYPE_OID: {
      std::array<char, 25> text{};
      bson_oid_to_string(bson_iter_oid(&value), text.data());
      return writer.String(text.data());
    }
    case BSON_TYPE_DECIMAL128:
      return WriteDecimal(value, writer);
    case BSON_TYPE_BINARY:
      return WriteBinary(value, writer);
    default:
      return writer.Null();
  }
}

void WriteMembers(bson_iter_t members, bool keys, int depth, json::Writer& writer) {
  keys ? writer.BeginObject() : writer.BeginArray();
  while (bson_iter_next(&members)) {
    const std::string_view key = bson_iter_key(&members);
    if (keys) IsUtf8(key) ? writer.Key(key) : writer.Key(WellFormed(key));
    WriteValue(members, depth, writer);
  }
  keys ? writer.EndObject() : writer.EndArray();
}
}  // namespace

std::string BsonToJson(const bson_t* document) {
  std::string text;
  json::Writer writer(text);
  bson_iter_t members;
  if (!bson_iter_init(&members, document)) return "null";
  WriteMembers(members, true, 0, writer);
  return text;
}

}  // namespace tidegate::reader
