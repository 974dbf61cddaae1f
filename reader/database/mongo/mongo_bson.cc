#include "reader/database/mongo/mongo_bson.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

#include "core/utf8.h"

namespace tidegate::reader {

namespace {
constexpr int kMaxDepth = 64;  // Of the value; servers take 100.
constexpr size_t kDoubleDigits = 17;
constexpr size_t kDecimalDigits = 34;
// libbson rounds silently near the ends of Decimal128's range (10^-6176 to 10^6144); numbers from
// there on are kept as text.
constexpr size_t kMaxDecimalText = 200;
constexpr int kMaxDecimalExponent = 5'900;

// Counts the digits of the number as written, without zeros at either end.
size_t SignificantDigits(std::string_view text) {
  size_t digits = 0;
  size_t significant = 0;
  for (char c : text) {
    if (c == 'e' || c == 'E') break;
    if (c < '0' || c > '9' || (c == '0' && digits == 0)) continue;
    ++digits;
    if (c != '0') significant = digits;
  }
  return significant;
}

bool FitsDecimal128(std::string_view text) {
  if (text.size() > kMaxDecimalText || SignificantDigits(text) > kDecimalDigits) return false;
  const size_t mark = text.find_first_of("eE");
  if (mark == std::string_view::npos) return true;
  std::string_view exponent = text.substr(mark + 1);
  if (exponent.starts_with('+')) exponent.remove_prefix(1);
  int power = 0;
  return std::from_chars(exponent.data(), exponent.data() + exponent.size(), power).ec ==
             std::errc{} &&
         std::abs(power) <= kMaxDecimalExponent;
}

bool IsInteger(std::string_view text) {
  return text.find_first_of(".eE") == std::string_view::npos && text != "-0";
}

double NearestDouble(std::string_view text) {
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  // Out of range leaves the number untouched: too large or too small for a double.
  return parsed.ec == std::errc{} ? number : std::numeric_limits<double>::infinity();
}

bool ReadDecimal128(std::string_view text, bson_decimal128_t& number) {
  return bson_decimal128_from_string_w_len(text.data(), static_cast<int>(text.size()), &number);
}

// A number as BSON stores it. `kind` says which of the other members holds the value.
struct Number {
  NumberKind kind = NumberKind::kText;
  int64_t integer = 0;
  double real = 0;
  bson_decimal128_t decimal{};
};

Number ReadNumber(std::string_view text) {
  Number number;
  if (IsInteger(text) &&
      std::from_chars(text.data(), text.data() + text.size(), number.integer).ec == std::errc{}) {
    const bool small = number.integer >= INT32_MIN && number.integer <= INT32_MAX;
    number.kind = small ? NumberKind::kInt32 : NumberKind::kInt64;
  } else if (SignificantDigits(text) <= kDoubleDigits &&
             std::isfinite(number.real = NearestDouble(text))) {
    number.kind = NumberKind::kDouble;
  } else if (FitsDecimal128(text) && ReadDecimal128(text, number.decimal)) {
    number.kind = NumberKind::kDecimal128;
  }
  return number;
}

bool Append(bson_t* out, std::string_view key, json::Value value, int depth);

bool AppendNumber(bson_t* out, std::string_view key, std::string_view text) {
  const int length = static_cast<int>(key.size());
  const Number number = ReadNumber(text);
  switch (number.kind) {
    case NumberKind::kInt32:
      return bson_append_int32(out, key.data(), length, static_cast<int32_t>(number.integer));
    case NumberKind::kInt64:
      return bson_append_int64(out, key.data(), length, number.integer);
    case NumberKind::kDouble:
      return bson_append_double(out, key.data(), length, number.real);
    case NumberKind::kDecimal128:
      return bson_append_decimal128(out, key.data(), length, &number.decimal);
    case NumberKind::kText:
      return bson_append_utf8(out, key.data(), length, text.data(), static_cast<int>(text.size()));
  }
  return false;
}

bool AppendContainer(bson_t* out, std::string_view key, json::Value value, int depth) {
  if (depth >= kMaxDepth) return false;
  // The child is built inside `out`, which must not change until the child is ended. An array in
  // BSON is a document of type array with the keys "0", "1", ...
  const int length = static_cast<int>(key.size());
  const bool is_object = value.is_object();
  bson_t child;
  if (!(is_object ? bson_append_document_begin(out, key.data(), length, &child)
                  : bson_append_array_begin(out, key.data(), length, &child)))
    return false;
  bool ok = true;
  size_t index = 0;
  for (auto member = value.First(); ok && member; member = member->Next(), ++index) {
    ok = is_object ? Append(&child, member->key(), *member, depth + 1)
                   : Append(&child, fmt::format_int(index).c_str(), *member, depth + 1);
  }
  return (is_object ? bson_append_document_end(out, &child) : bson_append_array_end(out, &child)) &&
         ok;
}

bool Append(bson_t* out, std::string_view key, json::Value value, int depth) {
  const int length = static_cast<int>(key.size());
  switch (value.type()) {
    case json::Type::kNull:
      return bson_append_null(out, key.data(), length);
    case json::Type::kBool:
      return bson_append_bool(out, key.data(), length, value.as_bool());
    case json::Type::kNumber:
      return AppendNumber(out, key, value.number_text());
    case json::Type::kString: {
      const std::string_view text = value.as_string();
      return bson_append_utf8(out, key.data(), length, text.data(), static_cast<int>(text.size()));
    }
    case json::Type::kArray:
    case json::Type::kObject:
      return AppendContainer(out, key, value, depth);
  }
  return false;
}

class BsonSink final : public MemberSink {
 public:
  explicit BsonSink(bson_t* out) : root_(out), out_(out) {}
  bool ok() const { return ok_; }

  // JSON was checked for UTF-8 when it was parsed; Kafka's headers and topics were not.
  void String(std::string_view name, std::string_view text) override {
    ok_ = ok_ && IsUtf8(text) &&
          bson_append_utf8(out_, name.data(), Length(name), text.data(),
                           static_cast<int>(text.size()));
  }
  void Integer(std::string_view name, int64_t number) override {
    const bool small = number >= INT32_MIN && number <= INT32_MAX;
    ok_ = ok_ &&
          (small ? bson_append_int32(out_, name.data(), Length(name), static_cast<int32_t>(number))
                 : bson_append_int64(out_, name.data(), Length(name), number));
  }
  void Double(std::string_view name, double number) override {
    ok_ = ok_ && bson_append_double(out_, name.data(), Length(name), number);
  }
  void Bool(std::string_view name, bool value) override {
    ok_ = ok_ && bson_append_bool(out_, name.data(), Length(name), value);
  }
  void Time(std::string_view name, WallTime time) override {
    ok_ = ok_ &&
          bson_append_date_time(out_, name.data(), Length(name), time.time_since_epoch().count());
  }
  void Json(std::string_view name, json::Value value) override {
    ok_ = ok_ && Append(out_, name, value, 1);
  }
  // WriteMembers opens one level only.
  void BeginObject(std::string_view name) override {
    ok_ = ok_ && bson_append_document_begin(root_, name.data(), Length(name), &child_);
    if (ok_) out_ = &child_;
  }
  void EndObject() override {
    if (out_ == root_) return;  // It never began.
    out_ = root_;
    ok_ = bson_append_document_end(root_, &child_) && ok_;
  }

 private:
  static int Length(std::string_view name) { return static_cast<int>(name.size()); }

  bson_t* root_;
  bson_t* out_;
  bson_t child_;
  bool ok_ = true;
};
}  // namespace

NumberKind ClassifyNumber(std::string_view text) {
  return ReadNumber(text).kind;
}

bool AppendJson(bson_t* out, std::string_view key, json::Value value) {
  return Append(out, key, value, 1);
}

Status AppendDocument(const Document& document, bson_t* out) {
  CHECK(bson_empty(out), "a document is built from an empty one");
  BsonSink sink(out);
  WriteMembers(document, sink);
  if (!sink.ok())
    return Error{ErrorCode::kRejected,
                 "nested too deep, too large, or with text that BSON cannot hold"};
  if (out->len > kMaxBsonBytes) {
    return Error{ErrorCode::kRejected,
                 fmt::format("{} bytes as BSON, {} are taken", out->len, kMaxBsonBytes)};
  }
  return {};
}

}  // namespace tidegate::reader
