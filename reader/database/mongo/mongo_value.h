// Converts the members of a projection to BSON and back. Private to this folder; pure.
#pragma once

#include "reader/database/mongo/mongo_client.h"
#include "reader/database/value.h"

namespace tidegate::reader {

void AppendObject(const Object& object, bson_t* out);
// `members` is positioned before the first member. Types that a Value lacks, such as decimals, are
// read as null.
Object ReadObject(const bson_iter_t& members);

}  // namespace tidegate::reader
