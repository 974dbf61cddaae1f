// A query as MongoDB is asked, so that a test sees the very same. Private to this folder and its
// tests; pure.
#pragma once

#include "reader/database/mongo/mongo_client.h"
#include "reader/database/query_store.h"

namespace tidegate::reader {

// Every condition, the range of times and the place after which a page begins.
void AppendFilter(const Query& query, bson_t* filter);
// The member `sort` of a find.
void AppendSort(const Query& query, bson_t* options);

}  // namespace tidegate::reader
