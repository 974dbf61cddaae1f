// Completions in the SQLite landing. Private to this folder.
#pragma once

#include <memory>
#include <string>

#include "reader/database/completions.h"

namespace tidegate::reader {

// Opens the file with the first call that needs it. The workers' stores make and check the file:
// until they have, calls report kUnavailable.
std::unique_ptr<Completions> OpenSqliteCompletions(std::string path);

}  // namespace tidegate::reader
