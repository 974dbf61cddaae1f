// A landing whose tenants may have servers of their own: each database goes to its own connection,
// and all others to the common one.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "reader/database/landing.h"

namespace tidegate::reader {

// Like OpenLanding for `uri`, and for the URI of each database that is named. One client pool a
// URI, so that tenants share neither sockets nor credentials.
Result<std::unique_ptr<Landing>> OpenLandings(
    const std::string& uri, const std::map<std::string, std::string>& uri_of_database,
    const LandingOptions& options = {});

}  // namespace tidegate::reader
