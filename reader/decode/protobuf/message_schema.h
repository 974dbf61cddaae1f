// A protobuf message type that is known only at run time, and what messages of it are as JSON.
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
  // From a file: *.proto is read as such, with its imports beside it and the well-known types;
  // anything else as a serialized FileDescriptorSet (protoc --include_imports
  // --descriptor_set_out). No path: the built-in sales_event.proto. `message` is the full name.
  // kInvalid: why it cannot be had, for people.
  static Result<std::shared_ptr<const MessageSchema>> Load(const std::string& path,
                                                           const std::string& message);
  ~MessageSchema();

  // One serialized message as JSON text. Members have the names of the .proto and come in its
  // order. 64-bit integers are numbers; enums the name of their value, or its number where they
  // have none; bytes base64; google.protobuf.Timestamp a time; a map an object. A field that is not
  // set is left out, but for numbers and truth values of proto3 without `optional`, which cannot be
  // told from 0 and false. Fields that the schema does not know become `unknown_fields`, base64 of
  // their wire format, in the message that they are in, or are refused.
  // kRejected: it is no such message (required fields of proto2 included), holds a number that JSON
  // has not (NaN, infinities), or is over a limit.
  Result<std::string> ToJson(std::string_view bytes, const json::Limits& limits,
                             bool refuse_unknown) const;

 private:
  struct Impl;
  explicit MessageSchema(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

// What one byte of a message may cost while it is parsed (an empty sub-message is two bytes) is
// bounded by taking no larger ones.
inline constexpr size_t kMaxProtobufBytes = 256 * 1024;

}  // namespace tidegate::reader
