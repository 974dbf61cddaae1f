// Writes a document of MongoDB as JSON: times as RFC 3339 text, numbers as numbers. Private to this
// folder; pure.
#pragma once

#include <string>

#include "reader/database/mongo/mongo_client.h"

namespace tidegate::reader {

// Types that JSON lacks are converted: object ids, NaN, infinities and long decimals to text,
// binary to hexadecimal digits, other types to null. Bytes of text that are not UTF-8, which only
// other programs write, are replaced by U+FFFD. Values nested deeper than a server accepts are
// null.
std::string BsonToJson(const bson_t* document);

}  // namespace tidegate::reader
