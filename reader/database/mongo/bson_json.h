// A document out of MongoDB as JSON for people and programs: times as RFC 3339 text, numbers as
// numbers. Pure.
#pragma once

#include <string>

#include "reader/database/mongo/mongo_client.h"

namespace tidegate::reader {

// Text that is not UTF-8, which only foreign writers leave, has its bad bytes replaced by U+FFFD.
// What JSON has no form for: object ids, NaN, infinities and long decimals as text, binary as its
// hexadecimal digits, anything rarer as null. Nesting beyond what a server takes is null.
std::string BsonToJson(const bson_t* document);

}  // namespace tidegate::reader
