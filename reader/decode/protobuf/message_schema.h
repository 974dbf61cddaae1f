// A protobuf message type that is known only at run time; it turns messages of that type into JSON.
// Immutable once loaded; any thread, several at once.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/json/json.h"
#include "core/result.h"

namespace tidegate::reader {

class MessageSchema {
 public:
  // Loads the message with the full name `message` from a file. A *.proto is parsed, with its
  // imports beside it and the well-known types; any other file is read as a serialized
  // FileDescriptorSet (protoc --include_imports --descriptor_set_out). An empty path means the
  // built-in sales_event.proto. kInvalid: why it cannot be loaded, for people.
  static Result<std::shared_ptr<const MessageSchema>> Load(const std::string& path,
                                                           const std::string& message);
  ~MessageSchema();

  // Returns one serialized message as JSON text. Members have the names of the .proto, in its
  // order. 64-bit integers are numbers; enums are the name of their value, or its number if it has
  // none; bytes are base64; a google.protobuf.Timestamp is a time; a map is an object. A field that
  // is not set is left out, except numbers and truth values of proto3 without `optional`, where 0
  // and false look the same. Fields that the schema does not know become `unknown_fields`, base64
  // of their wire format, in the message that they are in, or are refused. kRejected: it is not
  // such a message (it lacks a required field of proto2, for example), holds a number that JSON
  // does not have (NaN, infinities), or exceeds a limit.
  Result<std::string> ToJson(std::string_view bytes, const json::Limits& limits,
                             bool refuse_unknown) const;

 private:
  struct Impl;
  explicit MessageSchema(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

// Larger messages are refused. This bounds the memory of parsing, because a few bytes can become a
// large object: an empty sub-message is two bytes.
inline constexpr size_t kMaxProtobufBytes = 256 * 1024;

}  // namespace tidegate::reader
