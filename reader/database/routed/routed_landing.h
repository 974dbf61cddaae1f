// A landing whose tenants may have servers of their own: a database that has its own URI is used
// through that, every other database through the common URI. A store reports a database that fails
// for its documents alone (fanned_store.h). Threads as for Landing.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "reader/database/landing.h"

namespace tidegate::reader {

// Opens `uri` and the URI of each named database as OpenLanding does. Each URI has a pool of
// clients, so that tenants share neither sockets nor credentials. Errors name the database.
Result<std::unique_ptr<Landing>> OpenLandings(
    const std::string& uri, const std::map<std::string, std::string>& uri_of_database,
    const LandingOptions& options = {});

}  // namespace tidegate::reader
