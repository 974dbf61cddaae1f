// A parsed protobuf message as JSON text. Private to this folder; pure.
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "core/json/json.h"
#include "core/result.h"

namespace tidegate::reader {

// See MessageSchema::ToJson.
Result<std::string> MessageToJson(const google::protobuf::Message& message,
                                  const json::Limits& limits, bool refuse_unknown);

}  // namespace tidegate::reader
