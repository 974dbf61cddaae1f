// The landing in MongoDB. Its workers and tenants share one pool of clients; each store takes one
// client, for one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reader/database/landing.h"

namespace tidegate::reader {

// Connects to nothing yet. Limits that the URI does not set: connectTimeoutMS,
// serverSelectionTimeoutMS and waitQueueTimeoutMS 5 s, wtimeoutMS 30 s, socketTimeoutMS as in
// the options. Writes use w=majority and reads the primary, whatever the URI says. kInvalid: not a
// URI, or one that asks for w=0. The message holds no password.
Result<std::unique_ptr<Landing>> OpenMongoLanding(const std::string& uri,
                                                  const LandingOptions& options);

// Returns what the URI asks for and the landing does not do, for people.
std::vector<std::string> WarningsAboutUri(const std::string& uri);

// The database that the URI's path names; empty if it names none, or if the text is no URI.
std::string DatabaseOfUri(const std::string& uri);

}  // namespace tidegate::reader
