// Completions in databases that may be on servers of their own. Private to this folder. Thread: the
// stores'.
#pragma once

#include <memory>

#include "reader/database/completions.h"
#include "reader/database/routed/by_database.h"

namespace tidegate::reader {

std::unique_ptr<Completions> RouteCompletions(ByDatabase<Completions> stores);

}  // namespace tidegate::reader
