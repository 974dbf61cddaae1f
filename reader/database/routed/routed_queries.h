// Queries where tenants have servers of their own: each database is asked on its own connection,
// all others on the common one.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "reader/database/queries.h"

namespace tidegate::reader {

using QueriesOfDatabase = std::map<std::string, std::unique_ptr<Queries>>;

// Its stores connect to a tenant's server when that is asked for the first time, so that one that
// is away concerns nobody else.
std::unique_ptr<Queries> RouteQueries(std::unique_ptr<Queries> common, QueriesOfDatabase own);

// Like OpenQueries for `uri`, and for the URI of each database that is named.
Result<std::unique_ptr<Queries>> OpenRoutedQueries(
    const std::string& uri, const std::map<std::string, std::string>& uri_of_database,
    const Clock& clock);

}  // namespace tidegate::reader
