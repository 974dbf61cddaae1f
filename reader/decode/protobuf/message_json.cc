#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/unknown_field_set.h>
#include <openssl/evp.h>

#include <cmath>
#include <vector>

#include "core/time_format.h"
#include "reader/decode/protobuf/message_json_handle.h"

namespace tidegate::reader {

namespace {
namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

constexpr std::string_view kUnknown = "unknown_fields";
constexpr std::string_view kTimestamp = "google.protobuf.Timestamp";

// The bytes are part of a message, whose size MessageSchema::ToJson() bounds.
std::string Base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                  reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  return out;
}

// A whole number of a double field keeps its decimal point, so that it lands as a double.
template <typename Floating>
std::string FloatingText(Floating number) {
  std::string text = fmt::format("{}", number);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

class Walk {
 public:
  Walk(std::string& out, const json::Limits& limits, bool refuse_unknown)
      : out_(out), writer_(out), limits_(limits), refuse_unknown_(refuse_unknown) {}

  Status Object(const pb::Message& message, size_t depth);

 private:
  Status Member(const pb::Message& message, const Field* field, size_t depth);
  Status Repeated(const pb::Message& message, const Field* field, size_t depth);
  Status Map(const pb::Message& message, const Field* field, size_t depth);
  // Writes the field's one value, or its `index`-th if it is repeated.
  Status Value(const pb::Message& message, const Field* field, int index, size_t depth);
  Status Floating(double number, std::string text);
  Status SubMessage(const pb::Message& message, size_t depth);
  Status Unknown(const pb::Message& message);
  // Counts one more value against the limits.
  Status Charge();

  std::string& out_;
  json::Writer writer_;
  const json::Limits& limits_;
  const bool refuse_unknown_;
  size_t values_ = 0;
};

Error Rejected(std::string text) {
  return Error{ErrorCode::kRejected, std::move(text)};
}

// Returns the field's value from the single getter or, with an index, from the repeated one.
template <typename Number>
Number Get(const pb::Message& message, const Field* field, int index,
           Number (pb::Reflection::*one)(const pb::Message&, const Field*) const,
           Number (pb::Reflection::*nth)(const pb::Message&, const Field*, int) const) {
  const pb::Reflection* reflection = message.GetReflection();
  return index < 0 ? (reflection->*one)(message, field) : (reflection->*nth)(message, field, index);
}

std::string Text(const pb::Message& message, const Field* field, int index) {
  return Get(message, field, index, &pb::Reflection::GetString, &pb::Reflection::GetRepeatedString);
}

std::string KeyText(const pb::Message& entry, const Field* key) {
  const pb::Reflection* reflection = entry.GetReflection();
  switch (key->cpp_type()) {
    case Field::CPPTYPE_INT32:
      return std::to_string(reflection->GetInt32(entry, key));
    case Field::CPPTYPE_INT64:
      return std::to_string(reflection->GetInt64(entry, key));
    case Field::CPPTYPE_UINT32:
      return std::to_string(reflection->GetUInt32(entry, key));
    case Field::CPPTYPE_UINT64:
      return std::to_string(reflection->GetUInt64(entry, key));
    case Field::CPPTYPE_BOOL:
      return reflection->GetBool(entry, key) ? "true" : "false";
    default:
      return reflection->GetString(entry, key);
  }
}

// True if the field is written. Without presence an empty text counts as not set, while 0 and false
// may have been set.
bool IsTold(const pb::Message& message, const Field* field) {
  const pb::Reflection* reflection = message.GetReflection();
  if (field->is_repeated()) return reflection->FieldSize(message, field) > 0;
  return reflection->HasField(message, field) ||
         (!field->has_presence() && field->cpp_type() != Field::CPPTYPE_STRING);
}

Status Walk::Charge() {
  if (++values_ > limits_.max_values)
    return Rejected(fmt::format("more than {} values", limits_.max_values));
  if (out_.size() > limits_.max_bytes)
    return Rejected(fmt::format("more than {} bytes as JSON", limits_.max_bytes));
  return {};
}

Status Walk::Object(const pb::Message& message, size_t depth) {
  if (depth > limits_.max_depth)
    return Rejected(fmt::format("nested deeper than {}", limits_.max_depth));
  writer_.BeginObject();
  const pb::Descriptor* type = message.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    if (!IsTold(message, type->field(i))) continue;
    writer_.Key(type->field(i)->name());
    if (Status status = Member(message, type->field(i), depth); !status.ok()) return status;
  }
  std::vector<const Field*> set;
  if (type->extension_range_count() > 0) message.GetReflection()->ListFields(message, &set);
  for (const Field* field : set) {
    if (!field->is_extension()) continue;
    writer_.Key(fmt::format("[{}]", field->full_name()));
    if (Status status = Member(message, field, depth); !status.ok()) return status;
  }
  if (Status status = Unknown(message); !status.ok()) return status;
  writer_.EndObject();
  return {};
}

Status Walk::Unknown(const pb::Message& message) {
  const pb::UnknownFieldSet& unknown = message.GetReflection()->GetUnknownFields(message);
  if (unknown.empty()) return {};
  if (refuse_unknown_) {
    return Rejected(fmt::format("{} has no field {}", message.GetDescriptor()->full_name(),
                                unknown.field(0).number()));
  }
  std::string bytes;
  unknown.SerializeToString(&bytes);
  writer_.Key(kUnknown);
  writer_.String(Base64(bytes));
  return Charge();
}

Status Walk::Member(const pb::Message& message, const Field* field, size_t depth) {
  if (field->is_map()) return Map(message, field, depth + 1);
  if (field->is_repeated()) return Repeated(message, field, depth + 1);
  return Value(message, field, -1, depth);
}

Status Walk::Repeated(const pb::Message& message, const Field* field, size_t depth) {
  if (Status status = Charge(); !status.ok()) return status;
  writer_.BeginArray();
  const int size = message.GetReflection()->FieldSize(message, field);
  for (int i = 0; i < size; ++i) {
    if (Status status = Value(message, field, i, depth); !status.ok()) return status;
  }
  writer_.EndArray();
  return {};
}

Status Walk::Map(const pb::Message& message, const Field* field, size_t depth) {
  if (Status status = Charge(); !status.ok()) return status;
  writer_.BeginObject();
  const int size = message.GetReflection()->FieldSize(message, field);
  for (int i = 0; i < size; ++i) {
    const pb::Message& entry = message.GetReflection()->GetRepeatedMessage(message, field, i);
    writer_.Key(KeyText(entry, field->message_type()->map_key()));
    Status status = Value(entry, field->message_type()->map_value(), -1, depth);
    if (!status.ok()) return status;
  }
  writer_.EndObject();
  return {};
}

Status Walk::Value(const pb::Message& message, const Field* field, int index, size_t depth) {
  using R = pb::Reflection;
  if (Status status = Charge(); !status.ok()) return status;
  switch (field->cpp_type()) {
    case Field::CPPTYPE_INT32:
      writer_.Integer(Get(message, field, index, &R::GetInt32, &R::GetRepeatedInt32));
      break;
    case Field::CPPTYPE_INT64:
      writer_.Integer(Get(message, field, index, &R::GetInt64, &R::GetRepeatedInt64));
      break;
    case Field::CPPTYPE_UINT32:
      writer_.Unsigned(Get(message, field, index, &R::GetUInt32, &R::GetRepeatedUInt32));
      break;
    case Field::CPPTYPE_UINT64:
      writer_.Unsigned(Get(message, field, index, &R::GetUInt64, &R::GetRepeatedUInt64));
      break;
    case Field::CPPTYPE_DOUBLE: {
      const double number = Get(message, field, index, &R::GetDouble, &R::GetRepeatedDouble);
      return Floating(number, FloatingText(number));
    }
    case Field::CPPTYPE_FLOAT: {
      const float number = Get(message, field, index, &R::GetFloat, &R::GetRepeatedFloat);
      return Floating(static_cast<double>(number), FloatingText(number));
    }
    case Field::CPPTYPE_BOOL:
      writer_.Bool(Get(message, field, index, &R::GetBool, &R::GetRepeatedBool));
      break;
    case Field::CPPTYPE_ENUM: {
      const int number = Get(message, field, index, &R::GetEnumValue, &R::GetRepeatedEnumValue);
      const pb::EnumValueDescriptor* value = field->enum_type()->FindValueByNumber(number);
      value ? writer_.String(value->name()) : writer_.Integer(number);
      break;
    }
    case Field::CPPTYPE_STRING: {
      const std::string text = Text(message, field, index);
      writer_.String(field->type() == Field::TYPE_BYTES ? Base64(text) : text);
      break;
    }
    case Field::CPPTYPE_MESSAGE: {
      const R* reflection = message.GetReflection();
      return SubMessage(index < 0 ? reflection->GetMessage(message, field)
                                  : reflection->GetRepeatedMessage(message, field, index),
                        depth + 1);
    }
  }
  return {};
}

Status Walk::Floating(double number, std::string text) {
  if (!std::isfinite(number)) return Rejected(fmt::format("{} is no number in JSON", text));
  writer_.Number(text);
  return {};
}

Status Walk::SubMessage(const pb::Message& message, size_t depth) {
  if (message.GetDescriptor()->full_name() != kTimestamp) return Object(message, depth);
  const pb::Descriptor* type = message.GetDescriptor();
  const pb::Reflection* reflection = message.GetReflection();
  const int64_t seconds = reflection->GetInt64(message, type->FindFieldByNumber(1));
  const int32_t nanos = reflection->GetInt32(message, type->FindFieldByNumber(2));
  constexpr int64_t kYear1 = -62'135'596'800;
  constexpr int64_t kYear9999 = 253'402'300'799;
  if (seconds < kYear1 || seconds > kYear9999 || nanos < 0 || nanos > 999'999'999)
    return Rejected("a google.protobuf.Timestamp is out of its range");
  std::string text = FormatTime(WallTime(std::chrono::seconds(seconds)));
  text.replace(text.size() - 4, 4, fmt::format("{:09}Z", nanos));
  writer_.String(text);
  return {};
}
}  // namespace

Result<std::string> MessageToJson(const pb::Message& message, const json::Limits& limits,
                                  bool refuse_unknown) {
  std::string out;
  Status status = Walk(out, limits, refuse_unknown).Object(message, 1);
  if (!status.ok()) return status.error();
  return out;
}

}  // namespace tidegate::reader
