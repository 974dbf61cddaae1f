// The landing in one SQLite file, and the stores on it.
#pragma once

#include <memory>
#include <string>

#include "reader/database/landing.h"

namespace tidegate::reader {

// Touches no file yet: the first store makes it.
std::unique_ptr<Landing> OpenSqliteLanding(std::string path);

}  // namespace tidegate::reader
