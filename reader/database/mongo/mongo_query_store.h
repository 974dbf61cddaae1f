// Queries on MongoDB, with a pool of clients of their own, whose time limits are shorter than the
// landing's.
#pragma once

#include <memory>
#include <string>

#include "reader/database/queries.h"

namespace tidegate::reader {

// Connects to nothing yet. Limits that the URI does not set: connect and server selection 2 s,
// socket a second more than `answer_within`, wait for a client 2 s. Reads from the primary unless
// the URI names a read preference. Errors as for OpenQueries.
Result<std::unique_ptr<Queries>> OpenMongoQueries(const std::string& uri,
                                                  std::chrono::milliseconds answer_within);

}  // namespace tidegate::reader
