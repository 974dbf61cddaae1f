// Queries on the landing in one SQLite file, while workers write to it. Never makes the file: until
// a worker has, calls report kUnavailable. Each store opens it at the first call, and again after
// an error.
#pragma once

#include <memory>
#include <string>

#include "reader/database/queries.h"

namespace tidegate::reader {

// The clock must outlive the queries.
std::unique_ptr<Queries> OpenSqliteQueries(std::string path, const Clock& clock);

}  // namespace tidegate::reader
