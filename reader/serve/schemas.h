// What the API's answers look like, for openapi.json. Constant. Private to this folder.
#pragma once

#include "core/json/json.h"

namespace tidegate::reader {

// Each schema as a member of the object that `writer` is in.
void WriteSchemas(json::Writer& writer);

}  // namespace tidegate::reader
