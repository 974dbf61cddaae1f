// The schemas of the API's answers for openapi.json. Constant. Private to this folder.
#pragma once

#include "core/json/tree.h"

namespace tidegate::reader {

// Adds each schema to the object as a member.
void WriteSchemas(json::Members schemas);

}  // namespace tidegate::reader
