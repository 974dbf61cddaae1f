// Queries if tenants have servers of their own: a database that has its own URI is queried through
// that, every other database through the common URI. Threads as for Queries.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "reader/database/queries.h"

namespace tidegate::reader {

using QueriesOfDatabase = std::map<std::string, std::unique_ptr<Queries>>;

// The stores connect to a tenant's server at the first query of its database, so that an
// unreachable server affects no other tenant.
std::unique_ptr<Queries> RouteQueries(std::unique_ptr<Queries> common, QueriesOfDatabase own);

// Opens `uri` and the URI of each named database as OpenQueries does.
Result<std::unique_ptr<Queries>> OpenRoutedQueries(
    const std::string& uri, const std::map<std::string, std::string>& uri_of_database,
    const Clock& clock, std::chrono::milliseconds answer_within = kAnswerWithin);

}  // namespace tidegate::reader
