// The update command as far as projections and positions need it: one document by `_id` and other
// members, replaced or changed by $max, and made if it is missing. One thread.
#pragma once

#include "tests/support/mongo_stub/bson_handle.h"
#include "tests/support/mongo_stub/collections.h"

namespace tidegate::mongo_stub {

// Does the updates of the request in their order, and describes them in `reply`.
void Update(const Request& request, const std::string& ns, Collections& collections, bson_t* reply);

}  // namespace tidegate::mongo_stub
