// Turns a request for a list into a query that finds only what the caller may see, and the found
// documents into the answer. Pure.
//
// Invariant: a query that names no tenant belongs to a caller who may see every tenant, and every
// tenant that it names is one that the caller may see (checked in PlanQuery()).
#pragma once

#include <set>
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

// Where the landing keeps its documents.
struct Placement {
  Tenancy tenancy = Tenancy::kShared;
  std::string database = "tidegate";
  std::vector<Stream> streams = {};
  // The databases that are on servers of their own.
  std::set<std::string> own_servers = {};

  // Returns the name of the server that holds the database; empty: the common one.
  std::string ServerOf(const std::string& name) const {
    return own_servers.contains(name) ? name : std::string();
  }
};

// Makes every query of the API. In a shared database the tenants become a condition; where each
// tenant has a database of its own, the tenant also selects the database. kInvalid: the stream is
// unknown, or one tenant must be named. kRejected: the caller may not see that tenant.
Result<Query> PlanQuery(const Listing& listing, const Arguments& arguments,
                        const Principal& principal, const Placement& placement, WallTime now);

// Returns {"items":[...],"count":n,"next_cursor":"..." or null}. Numbers keep the digits that the
// documents have. A document that cannot be parsed becomes {"_id":...,"unreadable":<why>}.
std::string WritePage(const Listing& listing, const Page& page, uint64_t list);

}  // namespace tidegate::reader
