// Erasure in MongoDB. Private to database/.
#pragma once

#include <memory>
#include <string>

#include "reader/database/eraser.h"

namespace tidegate::reader {

// Errors as for OpenEraser. Connects to nothing yet. Removals are confirmed by a majority.
Result<std::unique_ptr<Eraser>> OpenMongoEraser(const std::string& uri);

}  // namespace tidegate::reader
