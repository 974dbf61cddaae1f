// Erasure in the landing's SQLite file. Private to database/.
#pragma once

#include <memory>
#include <string>

#include "reader/database/eraser.h"

namespace tidegate::reader {

// Errors as for OpenEraser. REQUIRES: the file exists.
Result<std::unique_ptr<Eraser>> OpenSqliteEraser(std::string path);

}  // namespace tidegate::reader
