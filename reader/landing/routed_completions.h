// Completions whose databases may be on servers of their own. Private to this folder.
#pragma once

#include <memory>

#include "reader/landing/by_database.h"
#include "reader/landing/completions.h"

namespace tidegate::reader {

std::unique_ptr<Completions> RouteCompletions(ByDatabase<Completions> stores);

}  // namespace tidegate::reader
