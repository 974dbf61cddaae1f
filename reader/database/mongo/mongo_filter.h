// A query of the API as a filter and a sort of MongoDB, so that a test sees the very filter that is
// sent. Private to this folder and its tests; pure.
#pragma once

#include "reader/database/mongo/mongo_client.h"
#include "reader/database/query_store.h"

namespace tidegate::reader {

// Appends the conditions, the range of times, and the place after which the page begins.
void AppendFilter(const Query& query, bson_t* filter);
// Appends the option `sort` of a find command.
void AppendSort(const Query& query, bson_t* options);

}  // namespace tidegate::reader
