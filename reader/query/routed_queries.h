// Queries where tenants have servers of their own: each database is asked on its own connection,
// all others on the common one.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "reader/query/queries.h"

namespace tidegate::reader {

using QueriesOfDatabase = std::map<std::string, std::unique_ptr<Queries>>;

// Its stores connect to a tenant's server when that is asked for the first time, so that one that
// is away concerns nobody else.
std::unique_ptr<Queries> RouteQueries(std::unique_ptr<Queries> common, QueriesOfDatabase own);

}  // namespace tidegate::reader
