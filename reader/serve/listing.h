// From a request for a list to a query that shows only what the asker may see, and from the found
// documents to the answer. Pure.
#pragma once

#include <span>
#include <string>

#include "core/result.h"
#include "reader/database/query_store.h"
#include "reader/database/tenancy.h"
#include "reader/decode/stream.h"
#include "reader/serve/arguments.h"
#include "reader/serve/endpoint.h"
#include "reader/serve/tokens.h"

namespace tidegate::reader {

// Where documents are.
struct Placement {
  Tenancy tenancy = Tenancy::kShared;
  std::string database = "tidegate";
  std::vector<Stream> streams = {};
};

// Every query of the API is made here. In a shared database the tenants become a condition, in
// databases of their own they choose one. kInvalid: the arguments do not say what is meant.
// kRejected: another tenant's documents.
Result<Query> PlanQuery(const Listing& listing, const Arguments& arguments,
                        const Principal& principal, const Placement& placement, WallTime now);

// {"items":[...],"count":n,"next_cursor":"..." or null}
std::string WritePage(const Listing& listing, const Page& page, uint64_t list);

}  // namespace tidegate::reader
