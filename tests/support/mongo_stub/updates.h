// The part of the update command that projections and positions need: it selects one document by
// `_id` and other members, replaces it or changes it by $max, and inserts it if it is missing. One
// thread.
#pragma once

#include "tests/support/mongo_stub/bson_handle.h"
#include "tests/support/mongo_stub/collections.h"

namespace tidegate::mongo_stub {

// Executes the request's updates in their order, and describes them in `reply`.
void Update(const Request& request, const std::string& ns, Collections& collections, bson_t* reply);

}  // namespace tidegate::mongo_stub
