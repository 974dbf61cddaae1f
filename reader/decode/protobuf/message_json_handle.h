// Writes a parsed protobuf message as JSON text. Private to this folder. Pure; any thread.
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "core/json/json.h"
#include "core/result.h"

namespace tidegate::reader {

// Result and errors are those of MessageSchema::ToJson.
Result<std::string> MessageToJson(const google::protobuf::Message& message,
                                  const json::Limits& limits, bool refuse_unknown);

}  // namespace tidegate::reader
