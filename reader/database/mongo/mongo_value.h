// Our own documents' members as BSON and back. Private to this folder; pure.
#pragma once

#include "reader/database/mongo/mongo_client.h"
#include "reader/database/value.h"

namespace tidegate::reader {

void AppendObject(const Object& object, bson_t* out);
// `members`: before the first of them. What a Value has no type for (decimals, for one) is a null.
Object ReadObject(const bson_iter_t& members);

}  // namespace tidegate::reader
